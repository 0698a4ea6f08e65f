import type { MetricFamily } from "./metric-family.js";
import type { SpanRows } from "./otlp/span-rows.js";

/**
 * What all stages of the pipeline have in common. `main` builds the stages and joins them; they
 * never import each other.
 */
export interface Stage {
  /** Resolves when the stage can work; rejects with a reason that a person understands. */
  start(): Promise<void>;
  /** Finishes what is under way, within bounds. Calling it again does nothing. */
  shutdown(): Promise<void>;
  /** The stage's own numbers, as they are now. */
  metrics(): MetricFamily[];
}

/** A stage that takes batches; it must not keep `batch.rows`, which are overwritten by the next. */
export interface BatchConsumer {
  consume(batch: TraceBatch): void;
}

/** One accepted request: what was read from it, and the bytes as they came. */
export interface TraceBatch {
  /** Scratch columns, valid until `consume` returns. */
  readonly rows: SpanRows;
  /** The body as it came over the wire, compressed if it was; the consumers may keep it. */
  readonly body: Uint8Array;
  readonly contentType: string;
  /** `gzip`, or empty for none. */
  readonly contentEncoding: string;
  /** Milliseconds since the epoch. */
  readonly receivedMs: number;
}
