/**
 * A few values of a window with their trace and span ids, far ones more likely than near ones: a
 * weighted sample without replacement (A-Res: Efraimidis and Spirakis, "Weighted random sampling
 * with a reservoir", Information Processing Letters, 2006). Each value gets the key ln(u)/weight,
 * and the largest keys stay. `ExemplarReservoir` of @tidemark/stats does the same, mergeable and
 * for any number; here a hundred thousand signals have one each, so that it is 400 bytes.
 */
import type { Exemplar } from "../exemplar.js";
import type { Reference } from "../references/reference.js";
import { lastingNumbers, type NumberSlab } from "../slabs.js";

/** Values that stay. */
const SLOTS = 6;
/** Of one slot: key, value, time, and 24 bytes of ids. */
const NUMBERS = 6;
const TRACE_BYTES = 16;
const ID_BYTES = 24;
/** Most signals are numbers, and have none. */
const NO_NAMES: (string | undefined)[] = [];
/** A value that is not usual is so much likelier to stay than the commonest. */
export const UNUSUAL_WEIGHT = 50;

/** Where a value was found. */
export interface SpanPlace {
  readonly view: DataView;
  readonly traceOffset: number;
  readonly spanOffset: number;
  readonly timeMs: number;
}

/** The exemplar of a value that was found there. */
export function exemplarAt(place: SpanPlace, value: number | string): Exemplar {
  const { view, traceOffset, spanOffset, timeMs } = place;
  const hex = (offset: number, length: number) =>
    Buffer.from(view.buffer, view.byteOffset + offset, length).toString("hex");
  const traceId = hex(traceOffset, TRACE_BYTES);
  return { traceId, spanId: hex(spanOffset, ID_BYTES - TRACE_BYTES), value, timeMs };
}

/** Owned by the panes of one signal; cleared when their shortest window ends. */
export class ExemplarSlots {
  private readonly slab: NumberSlab;
  /** Where the first slot is among the slab's doubles. */
  private readonly start: number;
  private names: (string | undefined)[] = NO_NAMES;
  private count = 0;

  constructor() {
    [this.slab, this.start] = lastingNumbers(SLOTS * NUMBERS);
  }

  /** Offers a value; `weight` is positive. */
  offer(value: number | string, weight: number, place: SpanPlace): void {
    const key = Math.log(uniform()) / weight;
    const slot = this.count < SLOTS ? this.count++ : this.smallestBelow(key);
    if (slot < 0) return;
    const { doubles, bytes } = this.slab;
    const at = this.at(slot);
    doubles[at] = key;
    doubles[at + 1] = typeof value === "number" ? value : Number.NaN;
    doubles[at + 2] = place.timeMs;
    if (typeof value === "string") {
      if (this.names === NO_NAMES) this.names = [];
      this.names[slot] = value;
    }
    const { view, traceOffset, spanOffset } = place;
    const trace = new Uint8Array(view.buffer, view.byteOffset + traceOffset, TRACE_BYTES);
    const span = new Uint8Array(view.buffer, view.byteOffset + spanOffset, ID_BYTES - TRACE_BYTES);
    bytes.set(trace, 8 * (at + 3));
    bytes.set(span, 8 * (at + 3) + TRACE_BYTES);
  }

  /** What has stayed of the time before `endMs`, the farthest first as far as chance allows. */
  before(endMs: number): Exemplar[] {
    const { doubles, bytes } = this.slab;
    const slots = Array.from({ length: this.count }, (_, slot) => slot);
    const keyOf = (slot: number) => doubles[this.at(slot)] as number;
    return slots
      .filter((slot) => (doubles[this.at(slot) + 2] as number) < endMs)
      .toSorted((a, b) => keyOf(b) - keyOf(a))
      .map((slot) => {
        const at = this.at(slot);
        const ids = Buffer.from(bytes.buffer, 8 * (at + 3), ID_BYTES).toString("hex");
        return {
          traceId: ids.slice(0, 2 * TRACE_BYTES),
          spanId: ids.slice(2 * TRACE_BYTES),
          value: this.names[slot] ?? (doubles[at + 1] as number),
          timeMs: doubles[at + 2] as number,
        };
      });
  }

  /** Forgets what is of the time before `endMs`. */
  clearBefore(endMs: number): void {
    const { names } = this;
    const { doubles } = this.slab;
    for (let slot = this.count - 1; slot >= 0; slot--) {
      if ((doubles[this.at(slot) + 2] as number) >= endMs) continue;
      const last = --this.count;
      doubles.copyWithin(this.at(slot), this.at(last), this.at(last + 1));
      if (names === NO_NAMES) continue;
      names[slot] = names[last];
      names[last] = undefined;
    }
  }

  /** The slot of the smallest key if that is below `key`, or -1. */
  private smallestBelow(key: number): number {
    let [smallest, slot] = [key, -1];
    for (let at = 0; at < SLOTS; at++) {
      const one = this.slab.doubles[this.at(at)] as number;
      if (one < smallest) [smallest, slot] = [one, at];
    }
    return slot;
  }

  private at(slot: number): number {
    return this.start + slot * NUMBERS;
  }
}

/** How much likelier a usual value is to stay than the commonest: far or rare ones are. */
export function farness(value: number | string, reference: Reference): number {
  if (reference.kind === "categorical") {
    const { categories } = reference;
    const rarity = categories.count / Math.max(1, categories.get(String(value)));
    return Math.min(UNUSUAL_WEIGHT, Math.max(1, rarity));
  }
  const { mean, variance } = reference.grid;
  const squares = (Number(value) - mean) ** 2 / variance;
  return Number.isFinite(squares) ? Math.min(UNUSUAL_WEIGHT, 1 + squares) : 1;
}

let state = 0x9e37_79b9;

/** In (0, 1], by xorshift (Marsaglia 2003): which values are shown need not be unpredictable. */
function uniform(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return ((state >>> 0) + 1) / 4_294_967_296;
}
