/** One consumer's place in the log: gives every kept record after it, in order. */
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { LogRecord } from "./log-record.js";
import type { RecentRecords } from "./recent-records.js";
import type { Segment } from "./segment.js";
import { endsAt, findNextRecord, readRecords, recordBytes } from "./segment.js";

/** What a reader sees of the log. */
export interface LogSource {
  readonly recent: () => RecentRecords;
  readonly keptSequence: () => number;
  /** Oldest first; those that all consumers have read are missing. */
  readonly segments: readonly Segment[];
  /** Called when what lies in [from, to) of a segment cannot be read, and is passed over. */
  damaged(segment: Segment, file: FileHandle, from: number, to: number): Promise<void>;
}

interface OpenSegment {
  readonly segment: Segment;
  readonly file: FileHandle;
  /** Where the next records are read from. */
  offset: number;
  /** Of the last record that was read. */
  lastSequence: number;
  /** Read, and not yet handed out. */
  records: LogRecord[];
}

/** Reads from memory while it keeps up, and from the segments when it has fallen behind. */
export class LogReader {
  private readonly source: LogSource;
  private position: number;
  private current: OpenSegment | undefined;

  /** @param after the sequence behind which it begins */
  constructor(source: LogSource, after: number) {
    this.source = source;
    this.position = after;
  }

  /** The last sequence that was handed out. */
  get sequence(): number {
    return this.position;
  }

  /** The next kept record; undefined when there is none yet. One call at a time. */
  async next(): Promise<LogRecord | undefined> {
    const { source } = this;
    while (this.position < source.keptSequence()) {
      const record = await this.nextFrom(source.recent());
      if (record) {
        this.position = record.sequence;
        return record;
      }
    }
    return undefined;
  }

  /** Closes the file it may have open; reading may go on. */
  async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.file.close();
  }

  private async nextFrom(recent: RecentRecords): Promise<LogRecord | undefined> {
    if (!recent.covers(this.position)) return this.nextFromDisk();
    await this.close();
    return recent.after(this.position);
  }

  /** A record after `position`, or undefined with `position` moved past a file that has ended. */
  private async nextFromDisk(): Promise<LogRecord | undefined> {
    const current = this.current ?? (await this.openSegment());
    if (current === undefined) {
      this.position = this.source.keptSequence();
      return undefined;
    }
    for (;;) {
      const record = current.records.shift();
      if (record === undefined) {
        if (!(await this.readMore(current))) return undefined;
      } else if (record.sequence > this.position) return record;
    }
  }

  private async readMore(current: OpenSegment): Promise<boolean> {
    const { segment, file, offset } = current;
    const { bytes } = segment;
    current.records = await readRecords(file, offset, bytes, current.lastSequence);
    current.lastSequence = current.records.at(-1)?.sequence ?? current.lastSequence;
    for (const record of current.records) current.offset += recordBytes(record);
    if (current.records.length > 0) return true;
    if (offset < bytes && !(await endsAt(file, offset, segment))) {
      current.offset = (await findNextRecord(file, offset, bytes, this.position)) ?? bytes;
      await this.source.damaged(segment, file, offset, current.offset);
      return true;
    }
    if (segment.bytes > bytes) return true;
    const next = this.following(segment.firstSequence);
    this.position = next === undefined ? this.source.keptSequence() : next.firstSequence - 1;
    await this.close();
    return false;
  }

  private following(firstSequence: number): Segment | undefined {
    return this.source.segments.find((segment) => segment.firstSequence > firstSequence);
  }

  /** Opens the segment that holds the record after `position`, or the first one behind it. */
  private async openSegment(): Promise<OpenSegment | undefined> {
    const { segments } = this.source;
    const holding = segments.findLast(({ firstSequence }) => firstSequence <= this.position + 1);
    const segment = holding ?? segments[0];
    if (segment === undefined) return undefined;
    const file = await open(segment.path, "r");
    const lastSequence = segment.firstSequence - 1;
    this.current = { segment, file, offset: 0, lastSequence, records: [] };
    return this.current;
  }
}
