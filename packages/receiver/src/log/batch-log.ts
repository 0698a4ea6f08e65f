/**
 * The spine of the receiver: a body is acknowledged when it is in here, and stays until every
 * consumer has released it. Append-only segment files, checksummed, bounded in bytes.
 *
 * Failures: a full or failing disk refuses the batch (the client is told to try again) and keeps
 * nothing of it; a torn tail is cut when the log is opened; a damaged part is set aside, said,
 * counted and passed over.
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open as openFile } from "node:fs/promises";
import { METRICS } from "@tidemark/semconv";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import type { SyncPolicy } from "./group-writer.js";
import { GroupWriter } from "./group-writer.js";
import { LogReader } from "./log-reader.js";
import type { LoggedBody, LogRecord } from "./log-record.js";
import { RECORD_HEADER_BYTES } from "./log-record.js";
import { RecentRecords } from "./recent-records.js";
import type { Segment } from "./segment.js";
import { listSegments, repairTail, setAside } from "./segment.js";
import { SpareFiles } from "./spare-files.js";

/** Of all that the log may take, so much is kept in files that wait to be used again. */
const SPARE_SHARE = 1 / 4;

/** The bounds of the log, and where it lies. */
export interface LogOptions {
  readonly directory: string;
  /** A file that has reached this size is followed by the next one. */
  readonly segmentBytes: number;
  /** All files together; beyond it nothing is accepted until consumers have caught up. */
  readonly bytesMax: number;
  /** Bodies that are also held in memory for consumers that keep up. */
  readonly recentBytesMax: number;
  readonly sync: SyncPolicy;
  /** Who needs the log: a file is used again when all of them have released it. */
  readonly consumers: readonly string[];
  /** Those of them that read every record: when they are done with one, it leaves the memory. */
  readonly followers: readonly string[];
}

/** The log cannot take a batch now; nothing of it has been kept. */
export class LogUnavailableError extends Error {
  override readonly name = "LogUnavailableError";
}

/** A batch on its way into the log. */
export interface Appended {
  readonly sequence: number;
  /** Rejects with a LogUnavailableError when it could not be kept. */
  readonly kept: Promise<void>;
}

/** The embedded engine of the log. */
export class BatchLog implements Stage {
  private readonly options: LogOptions;
  private readonly logger: Logger;
  private readonly writer: GroupWriter;
  private readonly spares: SpareFiles;
  private readonly released: Map<string, number>;
  private readonly segments: Segment[] = [];
  private recent: RecentRecords;
  private nextSequence = 1;
  private keptSequence = 0;
  private pendingBytes = 0;
  private failing = false;
  private failures = 0;
  private damages = 0;
  private onKept: () => void = () => {};

  /** @param open how files are opened; tests give one that fails */
  constructor(
    options: LogOptions,
    logger: Logger,
    open: (path: string, flags: string) => Promise<FileHandle> = openFile,
  ) {
    this.options = options;
    this.logger = logger;
    this.released = new Map(options.consumers.map((consumer) => [consumer, 0]));
    this.recent = new RecentRecords(options.recentBytesMax, 1);
    this.spares = new SpareFiles(options.directory, options.bytesMax * SPARE_SHARE, logger);
    this.writer = new GroupWriter({
      directory: options.directory,
      segmentBytes: options.segmentBytes,
      sync: options.sync,
      open,
      spares: this.spares,
      onSegment: (segment) => this.segments.push(segment),
      onKept: (records) => this.keep(records),
    });
  }

  /** Opens the files of an earlier run, and repairs what a crash has left. */
  async start(): Promise<void> {
    const { directory, recentBytesMax } = this.options;
    await mkdir(directory, { recursive: true });
    await this.spares.start();
    this.segments.push(...(await listSegments(directory)));
    const last = this.segments.at(-1);
    if (last) {
      const { lastSequence, cutBytes } = await repairTail(directory, last, this.logger);
      if (cutBytes > 0) this.sayCut(last, cutBytes);
      this.keptSequence = Math.max(lastSequence, last.firstSequence - 1);
      await this.writer.resume(last);
    }
    this.nextSequence = this.keptSequence + 1;
    this.recent = new RecentRecords(recentBytesMax, this.nextSequence);
  }

  async shutdown(): Promise<void> {
    await this.writer.close();
    this.spares.shutdown();
  }

  /** Calls `listener` whenever records have been kept. */
  notify(listener: () => void): void {
    const before = this.onKept;
    this.onKept = () => {
      before();
      listener();
    };
  }

  /**
   * Puts a body at the end of the log; sequences follow the order of the calls.
   * @throws LogUnavailableError when the log is full
   */
  append(body: LoggedBody): Appended {
    const bytes = RECORD_HEADER_BYTES + body.body.length;
    const { bytesMax, directory } = this.options;
    if (this.bytes + this.pendingBytes + bytes > bytesMax) {
      const reason = `it holds ${bytesMax} bytes that are not yet forwarded`;
      throw this.unavailable(new Error(`${reason} (${directory})`));
    }
    const sequence = this.nextSequence++;
    this.pendingBytes += bytes;
    const kept = this.writer.write({ ...body, sequence }).then(
      () => this.settle(bytes),
      (error: Error) => {
        this.pendingBytes -= bytes;
        throw this.unavailable(error);
      },
    );
    return { sequence, kept };
  }

  /** Resolves when all that has been appended is kept, or has failed. */
  settled(): Promise<void> {
    return this.writer.settled();
  }

  /** The last sequence that was kept. */
  get lastKept(): number {
    return this.keptSequence;
  }

  /** The last sequence that no consumer needs any more. */
  get lastReleased(): number {
    return Math.min(...this.released.values());
  }

  /** The last sequence that nobody will read from memory any more. */
  private get lastFollowed(): number {
    const { followers } = this.options;
    return Math.min(...followers.map((name) => this.released.get(name) ?? 0));
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Reads what comes after `after`. */
  reader(after: number): LogReader {
    return new LogReader(
      {
        segments: this.segments,
        recent: () => this.recent,
        keptSequence: () => this.keptSequence,
        damaged: (...place) => this.passOver(...place),
      },
      after,
    );
  }

  /** Sequences up to this one have been used, although their batches were not kept. */
  skipTo(sequence: number): void {
    this.nextSequence = Math.max(this.nextSequence, sequence + 1);
  }

  /** A consumer needs nothing up to `sequence` any more; files that nobody needs are used again. */
  release(consumer: string, sequence: number): void {
    this.released.set(consumer, sequence);
    const needless = this.lastReleased;
    this.recent.dropThrough(this.lastFollowed);
    while (this.segments.length > 1) {
      const [oldest, next] = this.segments as [Segment, Segment];
      if (next.firstSequence - 1 > needless) return;
      this.segments.shift();
      void this.spares.give(oldest);
    }
  }

  metrics(): MetricFamily[] {
    const lag = [...this.released].map(([consumer, sequence]) => ({
      labels: { consumer },
      value: Math.max(0, this.keptSequence - sequence),
    }));
    return [
      { definition: METRICS.logBytes, points: [{ labels: {}, value: this.bytes }] },
      { definition: METRICS.logLag, points: lag },
      { definition: METRICS.logFailures, points: [{ labels: {}, value: this.failures }] },
      { definition: METRICS.logDamages, points: [{ labels: {}, value: this.damages }] },
    ];
  }

  private keep(records: readonly LogRecord[]): void {
    for (const record of records) this.recent.push(record);
    this.recent.dropThrough(this.lastFollowed);
    this.keptSequence = records.at(-1)?.sequence ?? this.keptSequence;
    this.onKept();
  }

  private settle(bytes: number): void {
    this.pendingBytes -= bytes;
    if (!this.failing) return;
    this.failing = false;
    this.logger.info("the log takes batches again", { directory: this.options.directory });
  }

  private unavailable(cause: Error): LogUnavailableError {
    this.failures++;
    if (!this.failing) {
      this.failing = true;
      const { directory } = this.options;
      const reason = cause.message;
      this.logger.error("the log cannot keep batches; clients are told to wait", {
        directory,
        reason,
      });
    }
    return new LogUnavailableError(`the log cannot keep it: ${cause.message}`, { cause });
  }

  private sayCut(last: Segment, cutBytes: number): void {
    this.damages++;
    this.logger.warn("cut off a torn end of the log; it is kept in its folder damaged", {
      file: last.path,
      offset: last.bytes,
      bytes: cutBytes,
    });
  }

  private async passOver(segment: Segment, file: FileHandle, from: number, to: number) {
    this.damages++;
    const { directory } = this.options;
    this.logger.error("a part of the log is damaged; it is passed over, and a copy is kept", {
      file: segment.path,
      offset: from,
      bytes: to - from,
      copies: `${directory}/damaged`,
    });
    await setAside(directory, segment, file, from, to, this.logger);
  }
}
