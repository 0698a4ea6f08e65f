/** Stores, now and then, what must survive a restart, and lets go of the log up to there. */
import type { BatchLog } from "../log/batch-log.js";
import type { LogRecord } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import type { Rest, StateChanges, StateStore, StoredState } from "./state-store.js";

/** At most this share of the time goes into checkpoints, however much there is to store. */
const TIME_SHARE = 0.05;
/** How often a long replay says how far it is. */
const PROGRESS_BATCHES = 10_000;

/** The name under which the log knows the stage that counts. */
export const OBSERVE = "observe";

/** Something that can be stored with a checkpoint. */
export interface Persistent {
  /** Puts what has changed since the last time, or returns steps that put it as it is now. */
  save(changes: StateChanges): readonly Rest[];
  /** The transaction has failed: the next one must store everything. */
  saveFailed(): void;
  /** Takes up what an earlier run has stored. */
  restore(stored: StoredState): Promise<void>;
}

/** What the stage works with. */
export interface CheckpointParts {
  readonly store: StateStore;
  readonly log: BatchLog;
  /** Whoever counts batches, and says up to which one. */
  readonly observer: Persistent & { readonly sequence: number };
  /** Has a batch counted that came after the last checkpoint. */
  readonly replay: (record: LogRecord) => void;
  readonly others: readonly Persistent[];
}

/** The stage that restores on start, stores every `intervalMs`, and once more at the end. */
export class Checkpoints implements Stage {
  private readonly parts: CheckpointParts;
  private readonly intervalMs: number;
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private started = false;
  private taking: Promise<void> | undefined;

  constructor(parts: CheckpointParts, intervalMs: number, logger: Logger) {
    this.parts = parts;
    this.intervalMs = intervalMs;
    this.logger = logger;
  }

  async start(): Promise<void> {
    const { store, log, observer, others } = this.parts;
    for (const one of [observer, ...others]) await one.restore(store);
    log.skipTo(observer.sequence);
    await this.replay();
    this.started = true;
    // The log may be let go of only as far as a checkpoint reaches, not as far as was replayed.
    await this.take();
    this.schedule(0);
  }

  async shutdown(): Promise<void> {
    if (!this.started) return;
    this.started = false;
    clearTimeout(this.timer);
    await this.taking;
    await this.take();
  }

  metrics(): MetricFamily[] {
    return [];
  }

  private async replay(): Promise<void> {
    const { parts, logger } = this;
    const reader = parts.log.reader(parts.observer.sequence);
    let batches = 0;
    for (let record = await reader.next(); record; record = await reader.next()) {
      this.replayOne(record);
      if (++batches % PROGRESS_BATCHES === 0) logger.info("replaying the log", { batches });
    }
    await reader.close();
    if (batches > 0) logger.info("replayed what came after the last checkpoint", { batches });
  }

  /** A batch that cannot be counted must not keep the receiver from starting. */
  private replayOne(record: LogRecord): void {
    try {
      this.parts.replay(record);
    } catch (error) {
      const { sequence } = record;
      this.logger.error("a batch of the log could not be counted; it is passed over", {
        sequence,
        error,
      });
    }
  }

  private schedule(lastTookMs: number): void {
    const delayMs = Math.max(this.intervalMs, lastTookMs / TIME_SHARE);
    this.timer = setTimeout(() => {
      this.taking = this.takeAndSchedule();
    }, delayMs);
    this.timer.unref();
  }

  private async takeAndSchedule(): Promise<void> {
    const from = performance.now();
    await this.take();
    if (this.started) this.schedule(performance.now() - from);
  }

  /**
   * One transaction, of what is known now. It is put together a few milliseconds at a time; what
   * comes while it is under way belongs to the next one. It may count batches that are not yet kept
   * in the log: none of these has been acknowledged, and when they are sent again they are known as
   * duplicates.
   */
  private async take(): Promise<void> {
    const { store, log, observer, others } = this.parts;
    const { sequence } = observer;
    try {
      await store.transaction((changes) =>
        [observer, ...others].flatMap((one) => one.save(changes)),
      );
      log.release(OBSERVE, sequence);
    } catch (error) {
      for (const one of [observer, ...others]) one.saveFailed();
      this.logger.error("a checkpoint failed; the log is kept until one succeeds", { error });
    }
  }
}
