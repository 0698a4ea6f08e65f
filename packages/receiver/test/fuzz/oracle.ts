/**
 * The selective reader's rows held against what protobufjs decodes from the same bytes by the
 * schema: equal in number and order of spans, ids, kinds, states, times, and all wanted values.
 */
import { isUtf8 } from "node:buffer";
import type { KeyTable, SpanRows, WantedKey } from "../../src/index.ts";

/** A 64-bit number as protobufjs gives it. */
interface Long {
  readonly low: number;
  readonly high: number;
}

/** An AnyValue; `value` names the member that was set last. */
interface Value {
  readonly value?: string;
  readonly stringValue: string;
  readonly boolValue: boolean;
  readonly intValue: Long;
  readonly doubleValue: number;
  readonly arrayValue: { readonly values: readonly Value[] };
}

interface Attribute {
  readonly key: string;
  readonly value: Value | null;
}

interface Span {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly kind: number;
  readonly startTimeUnixNano: Long;
  readonly endTimeUnixNano: Long;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number } | null;
}

/** A decoded request, as far as it is compared. */
export interface OracleRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] } | null;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const KEY_BYTES_MAX = 256;
const NS_PER_MS = 1e6;
const TYPES = ["none", "string", "bool", "int", "double", "other"];

/** Which keys somebody wants, said with strings. */
export function wantedTest(wanted: readonly WantedKey[], unwanted: readonly string[]) {
  const exact = new Set(wanted.filter(({ template }) => !template).map(({ name }) => name));
  const prefixes = wanted.filter(({ template }) => template).map(({ name }) => name);
  const others = new Set(unwanted);
  return (key: string) =>
    exact.has(key) ||
    (prefixes.some((prefix) => key.startsWith(prefix) && key !== prefix) && !others.has(key));
}

/** Compares one request at a time. */
export class RowComparer {
  private readonly keys: KeyTable;
  private readonly rows: SpanRows;
  private readonly wanted: (key: string) => boolean;
  /** Where the next value is expected. */
  private at = 0;
  private difference: string | undefined;

  constructor(keys: KeyTable, rows: SpanRows, wanted: (key: string) => boolean) {
    this.keys = keys;
    this.rows = rows;
    this.wanted = wanted;
  }

  /**
   * @param withValues whether attributes are compared too
   * @returns the first difference, if there is one
   */
  compare({ resourceSpans }: OracleRequest, withValues: boolean): string | undefined {
    const { rows } = this;
    this.difference = undefined;
    let row = 0;
    let rejected = 0;
    for (const [index, { resource, scopeSpans }] of resourceSpans.entries()) {
      if (withValues) {
        const place = [rows.resourceFirst[index], rows.resourceEnd[index]] as const;
        this.attributes(resource?.attributes ?? [], ...place, `resource ${index}`);
      }
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          if (!isId(span.traceId, 16) || !isId(span.spanId, 8)) rejected++;
          else this.span(span, row++, index, withValues);
        }
      }
    }
    this.same("spans", rows.spanCount, row);
    this.same("rejected spans", rows.rejectedSpans, rejected);
    return this.difference;
  }

  private span(span: Span, row: number, resource: number, withValues: boolean): void {
    const { rows } = this;
    const of = `of span ${row}`;
    this.id(`trace id ${of}`, span.traceId, rows.traceId[row]);
    this.id(`span id ${of}`, span.spanId, rows.spanId[row]);
    // The columns hold a byte: what the protocol numbers, and more of what it may come to number.
    this.same(`kind ${of}`, rows.kind[row], span.kind & 0xff);
    this.same(`status ${of}`, rows.status[row], (span.status?.code ?? 0) & 0xff);
    this.same(`resource ${of}`, rows.resource[row], resource);
    const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
    const startMs = ((start.high >>> 0) * 2 ** 32) / NS_PER_MS + (start.low >>> 0) / NS_PER_MS;
    const startDiffers = Math.abs((rows.startMs[row] as number) - startMs) > startMs * 2 ** -50;
    if (startDiffers) this.same(`start ${of}`, rows.startMs[row], startMs);
    const highs = ((end.high >>> 0) - (start.high >>> 0)) * 2 ** 32;
    const lows = (end.low >>> 0) - (start.low >>> 0);
    this.same(`duration ${of}`, rows.durationNs[row], highs + lows);
    if (withValues) this.attributes(span.attributes, rows.firstValue[row], rows.endValue[row], of);
  }

  private id(name: string, id: Uint8Array, at = -1): void {
    const { bytes } = this.rows;
    for (let i = 0; i < id.length; i++) {
      if (bytes[at + i] !== id[i]) this.same(`${name}, byte ${i}`, bytes[at + i], id[i]);
    }
  }

  private attributes(list: readonly Attribute[], first = -1, end = -1, of = ""): void {
    this.at = first;
    for (const { key, value } of list) {
      if (this.wanted(key)) this.value(key, value, 0, of);
    }
    this.same(`end of the values ${of}`, this.at, end);
  }

  private value(key: string, value: Value | null, depth: number, of: string): void {
    switch (value?.value) {
      case "arrayValue":
        if (depth > 0) return this.next(key, "other", 0, of);
        for (const element of value.arrayValue.values) this.value(key, element, 1, of);
        return;
      case "stringValue":
        return this.text(key, value.stringValue, of);
      case "boolValue":
        return this.next(key, "bool", value.boolValue ? 1 : 0, of);
      case "intValue":
        return this.next(key, "int", toNumber(value.intValue), of);
      case "doubleValue":
        return this.next(key, "double", value.doubleValue, of);
      default:
        return this.next(key, "other", 0, of);
    }
  }

  /** Both sides repair what is no UTF-8 in the same way, so that the bytes are compared. */
  private text(key: string, text: string, of: string): void {
    const { rows } = this;
    const start = rows.valueOffset[this.at] as number;
    const length = rows.valueNumber[this.at] as number;
    this.next(key, "string", length, of);
    const { buffer, byteOffset } = rows.bytes;
    const found = Buffer.from(buffer, byteOffset + start, length).toString("utf8");
    this.same(`value of ${key} ${of}`, found, text);
  }

  private next(key: string, type: string, number: number, of: string): void {
    const tag = this.rows.valueTag[this.at] as number;
    this.same(`type of ${key} ${of}`, TYPES[tag & 7], type);
    this.same(`value of ${key} ${of}`, this.rows.valueNumber[this.at], number);
    this.key(this.keys.known(tag >> 3).name, key, of);
    this.at++;
  }

  /** A key of a template that cannot be kept counts under the template. */
  private key(found: string, key: string, of: string): void {
    if (found === key) return;
    const kept = isUtf8(Buffer.from(key)) && !/[\0\ufffd]/.test(key);
    if (found.endsWith(".*") && key.startsWith(found.slice(0, -1))) {
      if (!kept || Buffer.byteLength(key) > KEY_BYTES_MAX) return;
      if (this.keys.size >= this.keys.keysMax) return;
    }
    this.same(`key ${of}`, found, key);
  }

  private same(name: string, found: unknown, expected: unknown): void {
    if (Object.is(found, expected)) return;
    this.difference ??= `${name} is ${String(found)} instead of ${String(expected)}`;
  }
}

function isId(id: Uint8Array, length: number): boolean {
  return id.length === length && id.some((byte) => byte !== 0);
}

function toNumber({ low, high }: Long): number {
  return high * 2 ** 32 + (low >>> 0);
}
