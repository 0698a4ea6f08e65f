// What all summaries of this package have in common. Each also has `add` of one row and, where
// rows are numbers, `addMany` of a range of a typed array; a static `deserialise`; and queries of
// its own, among them the bound of its error.

/** A mergeable summary of a stream; `Self` is what it merges with. */
export interface Summary<Self> {
  /** Rows that cannot be what this summarises: NaN, infinities, values of another type. */
  readonly invalid: number;
  /** Rows without a value: null and undefined. */
  readonly missing: number;
  /**
   * Adds everything `other` has seen; `other` is unchanged. The result is what the concatenated
   * streams would have given, exactly or within the stated error.
   *
   * @throws Error naming both when they do not fit each other
   */
  merge(other: Self): void;
  /** An independent copy. */
  clone(): Self;
  /** Bytes that `deserialise` reads; equal contents give equal bytes. */
  serialise(): Uint8Array;
}

/** A number that may be absent. */
export type MaybeNumber = number | null | undefined;

/** Rows that a summary of numbers leaves out. */
export interface LeftOut {
  invalid: number;
  missing: number;
}

/** Counts a row that is not a finite number, by why it is not. */
export function leaveOut(summary: LeftOut, value: unknown): void {
  if (value === null || value === undefined) summary.missing++;
  else summary.invalid++;
}
