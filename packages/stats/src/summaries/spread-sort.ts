// Sorts short runs of doubles in place, several times faster than `Float64Array.prototype.sort`.
//
// A counting sort by position between two inner order statistics of a small sample, so that heavy
// tails do not squeeze everything into one bucket; crowded buckets, such as those of the tails, are
// spread again, the native sort ends what stays crowded, and one insertion pass sets the rest
// right. Hence never much slower than the native sort, whatever the values.

/** Longest run that is spread; 50 KB of scratch a module. Longer ones go to the native sort. */
const LENGTH_MAX = 4096;
/** Runs as short are left to insertion. */
const LENGTH_MIN = 32;
/** Buckets with more values than this are spread again. */
const CROWD_MIN = 16;
/** How often a value is spread at most. */
const DEPTH_MAX = 4;
/** Sampled values, of which the second smallest and second largest bound the spread. */
const SAMPLE = 16;

// Nothing here survives a call: one scratch serves every sketch.
const bucketOf = new Uint16Array(LENGTH_MAX);
const ends = new Uint16Array(LENGTH_MAX + 1);
const spread = new Float64Array(LENGTH_MAX);
const sample = new Float64Array(SAMPLE);

/** Sorts `values` ascending in place. @param values finite, in any order */
export function spreadSort(values: Float64Array): void {
  if (values.length > LENGTH_MAX) {
    values.sort();
    return;
  }
  if (values.length > LENGTH_MIN) spreadRange(values, 0, values.length, DEPTH_MAX);
  insertionSort(values);
}

/** Brings every value of [from, to) close to its place. */
function spreadRange(values: Float64Array, from: number, to: number, depth: number): void {
  const n = to - from;
  const stride = Math.floor(n / SAMPLE);
  for (let i = 0; i < SAMPLE; i++) sample[i] = values[from + i * stride] as number;
  insertionSort(sample);
  const low = sample[1] as number;
  const scale = (n - 2) / ((sample[SAMPLE - 2] as number) - low);
  // A range of zero, or one that overflows or underflows, cannot be spread.
  if (depth === 0 || !(scale > 0 && scale < Infinity)) {
    values.subarray(from, to).sort();
    return;
  }
  const crowded = scatter(values, from, to, low, scale);
  for (let i = 0; i < crowded.length; i += 2) {
    spreadRange(values, crowded[i] as number, crowded[i + 1] as number, depth - 1);
  }
}

const NONE: readonly number[] = [];

/** Orders [from, to) by bucket. @returns start and end of every crowded bucket */
function scatter(
  values: Float64Array,
  from: number,
  to: number,
  low: number,
  scale: number,
): readonly number[] {
  const n = to - from;
  const last = n - 1;
  ends.fill(0, 0, n + 1);
  for (let i = 0; i < n; i++) {
    const value = values[from + i] as number;
    spread[i] = value;
    // 1 .. n - 2 inside the bounds; whatever lies outside goes to the first and the last.
    const at = (value - low) * scale + 1;
    const bucket = at >= 0 ? (at < last ? at | 0 : last) : 0;
    bucketOf[i] = bucket;
    ends[bucket + 1] = (ends[bucket + 1] as number) + 1;
  }
  const crowded = endsFromCounts(n, from);
  for (let i = 0; i < n; i++) {
    const bucket = bucketOf[i] as number;
    const at = ends[bucket] as number;
    values[from + at] = spread[i] as number;
    ends[bucket] = at + 1;
  }
  return crowded;
}

/** Adds up the counts in `ends`, so that ends[b] is where bucket b starts. */
function endsFromCounts(n: number, from: number): readonly number[] {
  let crowded: number[] | undefined;
  let sum = 0;
  for (let bucket = 1; bucket <= n; bucket++) {
    const count = ends[bucket] as number;
    if (count > CROWD_MIN) {
      crowded ??= [];
      crowded.push(from + sum, from + sum + count);
    }
    sum += count;
    ends[bucket] = sum;
  }
  return crowded ?? NONE;
}

function insertionSort(values: Float64Array): void {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    let at = i;
    while (at > 0 && (values[at - 1] as number) > value) {
      values[at] = values[at - 1] as number;
      at--;
    }
    values[at] = value;
  }
}
