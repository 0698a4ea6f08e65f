// Sorts short runs of doubles in place, several times faster than `Float64Array.prototype.sort`.
//
// A counting sort by position between two inner order statistics of a small sample, so that heavy
// tails do not squeeze everything into one bucket; insertion finishes buckets of a few values, the
// native sort crowded ones. Hence never much slower than the native sort, whatever the values.

/** Longest run that is spread; 16 KB of scratch a module. Longer ones go to the native sort. */
const LENGTH_MAX = 4096;
/** Below this the native sort is as fast. */
const LENGTH_MIN = 48;
/** Buckets with more values than this are sorted natively. */
const INSERTION_MAX = 24;
/** Sampled values, of which the second smallest and second largest bound the spread. */
const SAMPLE = 16;

// Nothing here survives a call: one scratch serves every sketch.
const bucketOf = new Uint16Array(LENGTH_MAX);
const ends = new Uint16Array(LENGTH_MAX + 1);
const spread = new Float64Array(LENGTH_MAX);
const sample = new Float64Array(SAMPLE);

/** Sorts `values` ascending in place. @param values finite, in any order */
export function spreadSort(values: Float64Array): void {
  const n = values.length;
  if (n < LENGTH_MIN || n > LENGTH_MAX) {
    values.sort();
    return;
  }
  const stride = Math.floor(n / SAMPLE);
  for (let i = 0; i < SAMPLE; i++) sample[i] = values[i * stride] as number;
  sample.sort();
  const low = sample[1] as number;
  const scale = (n - 2) / ((sample[SAMPLE - 2] as number) - low);
  // A range of zero, or one that overflows or underflows.
  if (!(scale > 0 && scale < Infinity)) {
    values.sort();
    return;
  }
  scatter(values, low, scale);
  let start = 0;
  for (let bucket = 0; bucket < n; bucket++) {
    const end = ends[bucket] as number;
    if (end - start > INSERTION_MAX) values.subarray(start, end).sort();
    else if (end - start > 1) insertionSort(values, start, end);
    start = end;
  }
}

/** Orders `values` by bucket; afterwards bucket b is [ends[b - 1], ends[b]). */
function scatter(values: Float64Array, low: number, scale: number): void {
  const n = values.length;
  const last = n - 1;
  ends.fill(0, 0, n + 1);
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    spread[i] = value;
    // 1 .. n - 2 inside the bounds; whatever lies outside goes to the first and the last.
    const at = (value - low) * scale + 1;
    const bucket = at >= 0 ? (at < last ? at | 0 : last) : 0;
    bucketOf[i] = bucket;
    ends[bucket + 1] = (ends[bucket + 1] as number) + 1;
  }
  for (let bucket = 1; bucket < n; bucket++) {
    ends[bucket] = (ends[bucket] as number) + (ends[bucket - 1] as number);
  }
  for (let i = 0; i < n; i++) {
    const bucket = bucketOf[i] as number;
    const at = ends[bucket] as number;
    values[at] = spread[i] as number;
    ends[bucket] = at + 1;
  }
}

function insertionSort(values: Float64Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const value = values[i] as number;
    let at = i;
    while (at > start && (values[at - 1] as number) > value) {
      values[at] = values[at - 1] as number;
      at--;
    }
    values[at] = value;
  }
}
