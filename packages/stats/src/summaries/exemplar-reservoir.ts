// A weighted sample without replacement of at most k exemplars: A-Res of Efraimidis and Spirakis,
// "Weighted random sampling with a reservoir" (Information Processing Letters, 2006). Each row gets
// the key ln(u)/weight, u uniform, and the k largest keys are kept; keys of two reservoirs compare,
// so that a merge, too, keeps the k largest.
//
// Guarantee: the sample has the law of k weighted draws without replacement from all rows that have
// been seen; no error but the sampling itself, and `weightTotal` says what it stands for.
// Cost: k exemplars and keys; O(log k) a row that is kept, one logarithm a row that is not.
//
// The draws are seeded: reservoirs that are to be merged must not share their seed, or rows at the
// same position get the same u.

import { SeededGenerator } from "./seeded-generator.js";
import type { Summary } from "./summary.js";
import { ByteReader, ByteWriter } from "./summary-bytes.js";

const MAGIC = "TMER";
const VERSION = 1;
export const EXEMPLARS_DEFAULT = 16;
export const EXEMPLARS_MAX = 4096;

/** A row worth looking at, and where to find it. */
export interface Exemplar {
  readonly value: number;
  /** When it was seen, in nanoseconds since 1970, as OTLP has it. */
  readonly timeUnixNano: bigint;
  /** 32 and 16 lower-case hexadecimal digits; empty when there is no trace. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface ExemplarReservoirOptions {
  /** k, exemplars kept, 1 to 4,096 (default 16). */
  readonly capacity?: number;
  /** Seed of the draws, an integer (default 0); another one for each reservoir to be merged. */
  readonly seed?: number;
}

/** A bounded, mergeable, weighted sample of exemplars. */
export class ExemplarReservoir implements Summary<ExemplarReservoir> {
  readonly capacity: number;
  readonly seed: number;
  /** Rows seen with a positive weight. */
  count = 0;
  /** Rows whose weight is not a positive number, or whose value or ids are not what they should. */
  invalid = 0;
  missing = 0;
  /** Sum of the weights of the rows seen. */
  weightTotal = 0;
  /** Heap by key: the smallest, which goes next, is first. */
  readonly #keys: number[] = [];
  readonly #exemplars: Exemplar[] = [];
  readonly #random: SeededGenerator;

  /** @throws RangeError naming the option that is out of range */
  constructor(options: ExemplarReservoirOptions = {}) {
    this.capacity = options.capacity ?? EXEMPLARS_DEFAULT;
    this.seed = options.seed ?? 0;
    const inRange = this.capacity >= 1 && this.capacity <= EXEMPLARS_MAX;
    if (!Number.isInteger(this.capacity) || !inRange) {
      throw new RangeError(`capacity ${this.capacity} is not an integer in [1, ${EXEMPLARS_MAX}]`);
    }
    if (!Number.isSafeInteger(this.seed)) throw new RangeError(`seed ${this.seed} is no integer`);
    this.#random = new SeededGenerator(this.seed);
  }

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): ExemplarReservoir {
    const input = new ByteReader(bytes, MAGIC, VERSION, "exemplar reservoir");
    const capacity = input.integer();
    if (capacity < 1 || capacity > EXEMPLARS_MAX) input.fail(`capacity ${capacity}`);
    const seed = input.double();
    if (!Number.isSafeInteger(seed)) input.fail(`seed ${seed}`);
    const reservoir = new ExemplarReservoir({ capacity, seed });
    reservoir.#random.drawn = input.integer() >>> 0;
    reservoir.count = input.integer();
    reservoir.invalid = input.integer();
    reservoir.missing = input.integer();
    reservoir.weightTotal = input.double();
    if (!(reservoir.weightTotal >= 0)) input.fail(`weights ${reservoir.weightTotal}`);
    const length = input.length(17);
    const expected = Math.min(capacity, reservoir.count);
    if (length !== expected) input.fail(`${length} exemplars, not ${expected}`);
    for (let i = 0; i < length; i++) {
      const key = input.double();
      if (!(key <= 0)) input.fail(`key ${key}`);
      reservoir.#offer(key, readExemplar(input));
    }
    input.finish();
    return reservoir;
  }

  /** Exemplars kept. */
  get size(): number {
    return this.#keys.length;
  }

  /**
   * Offers a row.
   *
   * @param weight how much more likely than one of weight 1 it is to be kept, positive (default 1)
   */
  add(exemplar: Exemplar | null | undefined, weight = 1): void {
    if (exemplar === null || exemplar === undefined) {
      this.missing++;
      return;
    }
    if (!(weight > 0 && weight < Infinity) || !isExemplar(exemplar)) {
      this.invalid++;
      return;
    }
    this.count++;
    this.weightTotal += weight;
    this.#offer(Math.log(this.#random.uniform()) / weight, exemplar);
  }

  /** The exemplars kept, by time. */
  exemplars(): Exemplar[] {
    return this.#exemplars.toSorted((a, b) => Number(a.timeUnixNano - b.timeUnixNano));
  }

  /** @throws Error naming both capacities or the seed when they do not fit each other */
  merge(other: ExemplarReservoir): void {
    if (other.capacity !== this.capacity) {
      throw new Error(
        `a reservoir of capacity ${other.capacity} cannot be merged into one of ${this.capacity}`,
      );
    }
    if (other.seed === this.seed && other.count > 0 && this.count > 0) {
      throw new Error(
        `a reservoir of seed ${other.seed} cannot be merged into one of seed ${this.seed}: ` +
          "both have drawn the same numbers",
      );
    }
    this.count += other.count;
    this.invalid += other.invalid;
    this.missing += other.missing;
    this.weightTotal += other.weightTotal;
    for (const [i, exemplar] of other.#exemplars.entries()) {
      this.#offer(other.#keys[i] as number, exemplar);
    }
  }

  clone(): ExemplarReservoir {
    return ExemplarReservoir.deserialise(this.serialise());
  }

  serialise(): Uint8Array {
    const out = new ByteWriter(64 + 48 * this.size);
    out.start(MAGIC, VERSION);
    out.integer(this.capacity);
    out.double(this.seed);
    for (const x of [this.#random.drawn, this.count, this.invalid, this.missing]) out.integer(x);
    out.double(this.weightTotal);
    out.integer(this.size);
    for (const [i, exemplar] of this.#exemplars.entries()) {
      out.double(this.#keys[i] as number);
      writeExemplar(out, exemplar);
    }
    return out.closed();
  }

  #offer(key: number, exemplar: Exemplar): void {
    if (this.size < this.capacity) this.#siftUp(this.size, key, exemplar);
    else if (key > (this.#keys[0] as number)) this.#siftDown(key, exemplar);
  }

  #siftUp(from: number, key: number, exemplar: Exemplar): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#keys[parent] as number) <= key) break;
      this.#place(at, this.#keys[parent] as number, this.#exemplars[parent] as Exemplar);
      at = parent;
    }
    this.#place(at, key, exemplar);
  }

  /** Replaces the smallest. */
  #siftDown(key: number, exemplar: Exemplar): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      const [left = 0, right = Infinity] = this.#keys.slice(child, child + 2);
      if (right < left) child++;
      if ((this.#keys[child] as number) >= key) break;
      this.#place(at, this.#keys[child] as number, this.#exemplars[child] as Exemplar);
      at = child;
    }
    this.#place(at, key, exemplar);
  }

  #place(at: number, key: number, exemplar: Exemplar): void {
    this.#keys[at] = key;
    this.#exemplars[at] = exemplar;
  }
}

function isExemplar(exemplar: Exemplar): boolean {
  const { value, timeUnixNano, traceId, spanId } = exemplar;
  const timed =
    typeof timeUnixNano === "bigint" && BigInt.asUintN(64, timeUnixNano) === timeUnixNano;
  return Number.isFinite(value) && timed && isId(traceId, 32) && isId(spanId, 16);
}

function isId(id: unknown, digits: number): boolean {
  return typeof id === "string" && (id === "" || (id.length === digits && /^[\da-f]+$/.test(id)));
}

function writeExemplar(out: ByteWriter, exemplar: Exemplar): void {
  out.double(exemplar.value);
  out.integer(Number(exemplar.timeUnixNano >> 32n));
  out.integer(Number(exemplar.timeUnixNano & 0xffff_ffffn));
  for (const id of [exemplar.traceId, exemplar.spanId]) {
    out.byte(id.length / 2);
    for (let i = 0; i < id.length; i += 2) out.byte(Number.parseInt(id.slice(i, i + 2), 16));
  }
}

function readExemplar(input: ByteReader): Exemplar {
  const value = input.double();
  if (!Number.isFinite(value)) input.fail(`value ${value}`);
  const [high, low] = [input.integer(), input.integer()];
  if (high >= 2 ** 32 || low >= 2 ** 32) input.fail("a time exceeds 64 bits");
  const timeUnixNano = (BigInt(high) << 32n) | BigInt(low);
  return { value, timeUnixNano, traceId: readId(input, 16), spanId: readId(input, 8) };
}

function readId(input: ByteReader, bytes: number): string {
  const length = input.byte();
  if (length !== 0 && length !== bytes) input.fail(`an id of ${length} bytes`);
  return Array.from(input.raw(length), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
