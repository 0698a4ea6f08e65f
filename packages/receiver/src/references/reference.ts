import type { CategoryCounts, ReferenceGrid } from "@tidemark/stats";

/** The categories of a rate: what it is the rate of, and all the rest. */
export const RATE_EVENT = "yes";
export const RATE_OTHER = "no";

/** What a reference is called that was learned from live values. */
export const LEARNED = "learned";

/** What live values of one signal are compared with. */
export type Reference = NumericReference | CategoricalReference;

interface ReferenceOrigin {
  /** What the metrics' label `reference` says, such as a file's name or `learned`. */
  readonly name: string;
  /** True when it was learned over less than a day, so that it may not know every hour. */
  readonly provisional: boolean;
  /** Rows that had no value; the rate of missing values is compared with it. */
  readonly missing: number;
  /**
   * What is usual in a window, [startMs, endMs), where that depends on the hour or the day: on the
   * same edges, or of the same categories. Undefined when it does not, or when nothing is known of
   * that time; the reference as a whole then holds.
   */
  readonly at?: (startMs: number, endMs: number) => Reference | undefined;
  /** Lets `at` know the windows that lie in [fromMs, toMs), and until the next call only these. */
  readonly prepare?: (fromMs: number, toMs: number) => Promise<void>;
}

/** The reference of a signal of numbers. */
export interface NumericReference extends ReferenceOrigin {
  readonly kind: "numeric";
  readonly grid: ReferenceGrid;
}

/** The reference of a signal of categories. */
export interface CategoricalReference extends ReferenceOrigin {
  readonly kind: "categorical";
  /** A rate is two categories, {@link RATE_EVENT} and {@link RATE_OTHER}. */
  readonly rate?: boolean;
  readonly categories: CategoryCounts;
}

/** The references of one model, by signal name such as `feature.wind`. */
export interface ModelReference {
  readonly model: string;
  /** Empty when it holds for every version of the model. */
  readonly version: string;
  /** The training run that made the model, `ml.model.run_id` on the wire; empty when unknown. */
  readonly runId: string;
  readonly signals: ReadonlyMap<string, Reference>;
}

/** Whether nothing changes when one takes the place of the other. */
export function isSameReference(a: Reference, b: Reference): boolean {
  if (a.name !== b.name || a.at || b.at) return false;
  if (a.kind === "numeric") return b.kind === "numeric" && a.grid.id === b.grid.id;
  if (b.kind === "numeric") return false;
  return Buffer.from(a.categories.serialise()).equals(b.categories.serialise());
}
