// What each segment of the rows contributes to the change of one share: Kitagawa's decomposition
// (Components of a Difference Between Two Rates, JASA 50, 1955), extended to any number of
// segments. The change is that of the share of rows with a property, such as "at most x" where a
// numeric signal's distribution moved most: Q - P with P = sum w_s p_s and Q = sum v_s q_s. It is
// the sum over the segments of
//
//   mix     (v_s - w_s) ((p_s + q_s) / 2 - (P + Q) / 2)   there is more or less of the segment
//   within  (v_s + w_s) / 2 (q_s - p_s)                   the segment itself has changed
//
// exactly: sum (v_s - w_s) = 0, so that centring the mix by (P + Q) / 2 adds nothing. Without it, a
// segment that grows would be charged with whatever its growing displaces. O(segments).

import type { EventRate } from "./evaluate-rate.js";

/** One segment: what share of all rows it is, and how many of its own rows have the property. */
export interface SegmentChange {
  readonly name: string;
  /** Shares of all rows, in [0, 1]; those of all segments add up to 1. */
  readonly referenceShare: number;
  readonly liveShare: number;
  /** Undefined where the segment was not seen: it then counts as what the other side shows. */
  readonly reference: EventRate | undefined;
  readonly live: EventRate | undefined;
}

/** What one segment contributes; the sums of all are those of the change. */
export interface SegmentContribution {
  readonly name: string;
  /** Q - P that is due to this segment: `mix + within`. */
  readonly contribution: number;
  readonly mix: number;
  readonly within: number;
}

/**
 * The contributions of all segments, the largest in absolute value first.
 *
 * @throws RangeError naming a share outside [0, 1]
 */
export function segmentContributions(segments: readonly SegmentChange[]): SegmentContribution[] {
  const changes = segments.map((segment) => {
    assertShare(segment.referenceShare);
    assertShare(segment.liveShare);
    const before = rateOf(segment.reference) ?? rateOf(segment.live) ?? 0;
    const after = rateOf(segment.live) ?? before;
    return { ...segment, before, after };
  });
  const centre = changes.reduce((sum, { referenceShare, liveShare, before, after }) => {
    return sum + (referenceShare * before + liveShare * after) / 2;
  }, 0);
  return changes
    .map(({ name, referenceShare, liveShare, before, after }) => {
      const mix = (liveShare - referenceShare) * ((before + after) / 2 - centre);
      const within = ((liveShare + referenceShare) / 2) * (after - before);
      return { name, contribution: mix + within, mix, within };
    })
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}

function rateOf(rate: EventRate | undefined): number | undefined {
  return rate === undefined || rate.rows === 0 ? undefined : rate.events / rate.rows;
}

function assertShare(share: number): void {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share ${share} is not in [0, 1]`);
}
