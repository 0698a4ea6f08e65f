/** Single values of the present span, outside of the hot loop: as texts and as numbers. */
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_MASK, VALUE_BOOL, VALUE_DOUBLE, VALUE_INT, VALUE_STRING } from "../otlp/span-rows.js";
import type { Observations } from "./observations.js";
import type { ObserverState } from "./observer-state.js";

const LONG_TEXT_BYTES_MAX = 65_536;
const NAME_LENGTH_MAX = 256;
const lenient = new TextDecoder();

/** Reads values by their index; what is of the wrong type is counted as invalid. */
export class ValueReader {
  private readonly state: ObserverState;
  private rows!: SpanRows;
  private out!: Observations;

  constructor(state: ObserverState) {
    this.state = state;
  }

  /** Says which rows the indexes are of, and where to count. */
  look(rows: SpanRows, out: Observations): void {
    this.rows = rows;
    this.out = out;
  }

  /** A short text, such as a name; undefined when the value is none. */
  text(at: number): string | undefined {
    if (this.typeOf(at) !== VALUE_STRING) return this.invalid();
    return this.state.categoryAt(this.rows, at) ?? this.invalid();
  }

  /** A value in words that is to be a part of a name. */
  name(at: number): string | undefined {
    const word = this.word(at);
    return word === undefined || word.length <= NAME_LENGTH_MAX ? word : this.invalid();
  }

  /** A text of at most 64 KiB. */
  longText(at: number): string | undefined {
    const { bytes, valueOffset, valueNumber } = this.rows;
    const length = valueNumber[at] as number;
    if (this.typeOf(at) !== VALUE_STRING || length > LONG_TEXT_BYTES_MAX) return this.invalid();
    const start = valueOffset[at] as number;
    return lenient.decode(bytes.subarray(start, start + length));
  }

  /** An integer or a double; NaN when the value is none. */
  number(at: number): number {
    const type = this.typeOf(at);
    const isNumber = type === VALUE_INT || type === VALUE_DOUBLE;
    return isNumber ? (this.rows.valueNumber[at] as number) : Number.NaN;
  }

  /** A value in words, as a category or a segment: numbers and booleans too. */
  word(at: number): string | undefined {
    const type = this.typeOf(at);
    const number = this.rows.valueNumber[at] as number;
    if (type === VALUE_BOOL) return number === 1 ? "true" : "false";
    if (type === VALUE_INT || type === VALUE_DOUBLE) return String(number);
    return this.text(at);
  }

  /** The characters of a text, without decoding it; NaN when the value is none. */
  textLength(at: number): number {
    if (this.typeOf(at) !== VALUE_STRING) return Number.NaN;
    const { bytes, valueOffset, valueNumber } = this.rows;
    const start = valueOffset[at] as number;
    const end = start + (valueNumber[at] as number);
    let count = 0;
    // Every byte of UTF-8 but those that continue a character begins one.
    for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++;
    return count;
  }

  typeOf(at: number): number {
    return (this.rows.valueTag[at] as number) & TYPE_MASK;
  }

  /** Counts a value that cannot be used. */
  invalid(): undefined {
    this.out.invalid++;
    return undefined;
  }
}
