/** One value behind a verdict, and the span that it was in. */
export interface Exemplar {
  /** 32 and 16 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number | string;
  /** When the span ended. */
  readonly timeMs: number;
}

/** What a format that knows only numbers shows of it: a category counts as one. */
export function exemplarNumber({ value }: Exemplar): number {
  return typeof value === "number" ? value : 1;
}
