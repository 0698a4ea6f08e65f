import type { LoggedBody } from "./log/log-record.js";
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

/** One accepted request: what was read from it, and the bytes as they came. */
export interface TraceBatch extends LoggedBody {
  /** Scratch columns, valid until `consume` returns. */
  readonly rows: SpanRows;
  /** Its place in the log; later batches have a higher one. */
  readonly sequence: number;
}
