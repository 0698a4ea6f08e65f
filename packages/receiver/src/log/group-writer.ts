/**
 * Group commit: one write and one fsync cover all records that came while the last ones were on
 * their way, so that a record waits for at most the fsync under way and its own.
 */
import type { FileHandle } from "node:fs/promises";
import { DiskRoom } from "./disk-room.js";
import type { LogRecord } from "./log-record.js";
import { encodeEndMark, encodeHeader } from "./log-record.js";
import type { Segment } from "./segment.js";
import { newSegment, recordBytes } from "./segment.js";
import type { SpareFiles } from "./spare-files.js";

/** When a record counts as kept. */
export const SYNC_POLICIES = ["group", "interval", "never"] as const;
/**
 * `group`: once it is on the disk. `interval`: once the operating system has it; it goes to the
 * disk every second. `never`: once the operating system has it.
 */
export type SyncPolicy = (typeof SYNC_POLICIES)[number];

const SYNC_INTERVAL_MS = 1000;
/** Linux takes at most 1,024 buffers in one call; a record is two. */
const RECORDS_PER_WRITE = 512;

/** What a writer needs from the log. */
export interface WriterOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly sync: SyncPolicy;
  readonly open: (path: string, flags: string) => Promise<FileHandle>;
  /** Files that are written over before new ones are made. */
  readonly spares: SpareFiles;
  /** A new file has been begun. */
  readonly onSegment: (segment: Segment) => void;
  /** Records are kept, in order. */
  readonly onKept: (records: readonly LogRecord[]) => void;
}

interface Waiting {
  readonly record: LogRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Writes to the last segment; there is one at a time. */
export class GroupWriter {
  private readonly options: WriterOptions;
  private readonly room: DiskRoom;
  private segment: Segment | undefined;
  private file: FileHandle | undefined;
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;
  private unsynced = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: WriterOptions) {
    this.options = options;
    this.room = new DiskRoom(options.directory);
    if (options.sync === "interval") {
      this.timer = setInterval(() => void this.syncNow(), SYNC_INTERVAL_MS).unref();
    }
  }

  /** Goes on with the last segment of an earlier run. */
  async resume(segment: Segment): Promise<void> {
    this.file = await this.options.open(segment.path, "r+");
    this.segment = segment;
  }

  /** Resolves when the record is kept; rejects when it is not, and never will be. */
  write(record: LogRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.running) await this.running;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.settled();
    await this.syncNow();
    await this.file?.close();
    this.file = undefined;
  }

  private async run(): Promise<void> {
    // What arrives in the same turn of the event loop belongs to one group.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, this.groupSize());
      try {
        await this.writeGroup(group.map(({ record }) => record));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error as Error);
      }
    }
    this.running = undefined;
  }

  /** How many of those that wait go together: at most what fills a segment. */
  private groupSize(): number {
    let bytes = 0;
    let count = 0;
    for (const { record } of this.waiting) {
      bytes += recordBytes(record);
      if (count > 0 && (count === RECORDS_PER_WRITE || bytes > this.options.segmentBytes)) break;
      count++;
    }
    return count;
  }

  private async writeGroup(records: LogRecord[]): Promise<void> {
    const [first] = records;
    const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
    const { segment, file } = await this.openFor((first as LogRecord).sequence);
    const end = segment.bytes + bytes;
    const buffers = records.flatMap((record) => [encodeHeader(record), record.body]);
    // Where it does not fit in before what is left of old records, its own writing covers them.
    if (end < segment.fileBytes)
      buffers.push(encodeEndMark((records.at(-1) as LogRecord).sequence));
    await this.takeRoom(Math.max(0, end - segment.fileBytes));
    try {
      const written = await writeAll(file, buffers, segment.bytes);
      if (this.options.sync === "group") await file.datasync();
      else this.unsynced = true;
      segment.fileBytes = Math.max(segment.fileBytes, written);
    } catch (error) {
      await this.abandon(segment, file);
      throw error;
    }
    segment.bytes = end;
    this.options.onKept(records);
  }

  /** On a disk that is full the spare files make room. */
  private async takeRoom(bytes: number): Promise<void> {
    for (;;) {
      try {
        await this.room.take(bytes);
        return;
      } catch (error) {
        if (!(await this.options.spares.deleteOldest())) throw error;
      }
    }
  }

  /** The file to write to: the one in use, or the next one when that is full. */
  private async openFor(sequence: number): Promise<{ segment: Segment; file: FileHandle }> {
    if (this.segment && this.file && this.segment.bytes < this.options.segmentBytes) {
      return { segment: this.segment, file: this.file };
    }
    await this.syncNow();
    await this.file?.close();
    this.file = undefined;
    const { directory, open, spares } = this.options;
    const segment = newSegment(directory, sequence);
    segment.fileBytes = await spares.take(segment.path);
    const file = await open(segment.path, segment.fileBytes > 0 ? "r+" : "wx");
    this.file = file;
    this.segment = segment;
    this.options.onSegment(segment);
    if (this.options.sync === "group") await syncFolder(directory, open);
    return { segment, file };
  }

  /**
   * Takes back what a failed group may have written. Where even that fails, or a failed fsync has
   * left the page cache in doubt, the next group begins a new file.
   */
  private async abandon(segment: Segment, file: FileHandle): Promise<void> {
    try {
      await file.truncate(segment.bytes);
      segment.fileBytes = segment.bytes;
      if (this.options.sync === "group") await file.datasync();
    } catch {
      this.file = undefined;
      await file.close().catch(() => {});
    }
  }

  private async syncNow(): Promise<void> {
    if (!this.unsynced) return;
    this.unsynced = false;
    await this.file?.datasync();
  }
}

/** Writes all of `buffers` at `offset`; returns where that ends. */
async function writeAll(file: FileHandle, buffers: Uint8Array[], offset: number): Promise<number> {
  let at = offset;
  let rest = buffers;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = afterBytes(rest, bytesWritten);
  }
  return at;
}

/** The buffers without their first `bytes` bytes. */
function afterBytes(buffers: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let index = 0;
  while (index < buffers.length && left >= (buffers[index] as Uint8Array).length) {
    left -= (buffers[index] as Uint8Array).length;
    index++;
  }
  const rest = buffers.slice(index);
  if (left > 0) rest[0] = (rest[0] as Uint8Array).subarray(left);
  return rest;
}

/** A new file is on the disk only when its folder's entry is. */
async function syncFolder(directory: string, open: WriterOptions["open"]): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
