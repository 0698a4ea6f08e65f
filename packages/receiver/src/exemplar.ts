/** One value behind a verdict, and the span that it was in. */
export interface Exemplar {
  /** 32 and 16 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number | string;
  /** When the span ended. */
  readonly timeMs: number;
}
