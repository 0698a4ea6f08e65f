/** Upper bounds in seconds: the usual ones for request durations. */
export const LATENCY_BOUNDS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];

/** Durations in explicit buckets, cumulative since the start. */
export class LatencyHistogram {
  readonly counts = new Float64Array(LATENCY_BOUNDS_S.length + 1);
  sum = 0;
  count = 0;

  /** Adds a duration in seconds; a negative one (a clock that went back) counts as 0. */
  add(seconds: number): void {
    const value = Math.max(0, seconds);
    let bucket = 0;
    while (value > (LATENCY_BOUNDS_S[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
    this.count++;
  }
}
