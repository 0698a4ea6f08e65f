/**
 * The selective reader's rows held against what protobufjs decodes from the same bytes by the
 * schema: equal in number and order of spans, ids, kinds, states, times, scopes, and all wanted
 * values and events.
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
  readonly parentSpanId: Uint8Array;
  readonly kind: number;
  readonly startTimeUnixNano: Long;
  readonly endTimeUnixNano: Long;
  readonly attributes: readonly Attribute[];
  readonly events: readonly Event[];
  readonly status: { readonly code: number } | null;
}

interface Event {
  readonly timeUnixNano: Long;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

interface Scope {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/** A decoded request, as far as it is compared. */
export interface OracleRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] } | null;
    readonly scopeSpans: readonly {
      readonly scope: Scope | null;
      readonly spans: readonly Span[];
    }[];
  }[];
}

const KEY_BYTES_MAX = 256;
const NS_PER_MS = 1e6;
const TYPES = ["none", "string", "bool", "int", "double", "other", "event"];

/** What somebody wants, said with strings. */
export interface Wanted {
  readonly key: (key: string) => boolean;
  readonly event: (name: string) => boolean;
}

/** What the reader is asked for. */
export function wantedTest(wanted: readonly WantedKey[], unwanted: readonly string[]): Wanted {
  const said = wanted.filter(({ derived }) => !derived);
  const names = (keys: readonly WantedKey[]) => new Set(keys.map(({ name }) => name));
  const exact = names(said.filter(({ template, event }) => !template && !event));
  const events = names(said.filter(({ event }) => event));
  const templates = said.filter(({ template }) => template);
  const others = new Set(unwanted);
  const isUnder = (key: string) =>
    templates.some(({ name, ending = "" }) => {
      const isLonger = Buffer.byteLength(key) > name.length + ending.length;
      return isLonger && key.startsWith(name) && key.endsWith(ending);
    });
  return {
    key: (key) => exact.has(key) || (isUnder(key) && !others.has(key)),
    event: (name) => events.has(name),
  };
}

/** Compares one request at a time. */
export class RowComparer {
  private readonly keys: KeyTable;
  private readonly rows: SpanRows;
  private readonly wanted: Wanted;
  /** The rows in which the next values are expected, and which of them is next. */
  private order: readonly number[] = [];
  private position = 0;
  private difference: string | undefined;

  constructor(keys: KeyTable, rows: SpanRows, wanted: Wanted) {
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
    let scopes = 0;
    for (const [index, { resource, scopeSpans }] of resourceSpans.entries()) {
      if (withValues) {
        const place = between(rows.resourceFirst[index], rows.resourceEnd[index]);
        this.attributes(resource?.attributes ?? [], place, `resource ${index}`);
      }
      for (const { scope, spans } of scopeSpans) {
        this.scope(scope, scopes, withValues);
        for (const span of spans) {
          if (!isId(span.traceId, 16) || !isId(span.spanId, 8)) rejected++;
          else this.span(span, row++, { resource: index, scope: scopes }, withValues);
        }
        scopes++;
      }
    }
    this.same("scopes", rows.scopeCount, scopes);
    this.same("spans", rows.spanCount, row);
    this.same("rejected spans", rows.rejectedSpans, rejected);
    return this.difference;
  }

  private scope(scope: Scope | null, index: number, withValues: boolean): void {
    const { rows } = this;
    const at = rows.scopeName[index] as number;
    const length = rows.scopeNameLength[index] as number;
    this.same(`name of scope ${index}`, this.textAt(at, length), scope?.name ?? "");
    if (!withValues) return;
    const place = between(rows.scopeFirst[index], rows.scopeEnd[index]);
    this.attributes(scope?.attributes ?? [], place, `scope ${index}`);
  }

  private span(
    span: Span,
    row: number,
    place: { resource: number; scope: number },
    withValues: boolean,
  ): void {
    const { rows } = this;
    const of = `of span ${row}`;
    this.id(`trace id ${of}`, span.traceId, rows.traceId[row]);
    this.id(`span id ${of}`, span.spanId, rows.spanId[row]);
    // The columns hold a byte: what the protocol numbers, and more of what it may come to number.
    this.same(`kind ${of}`, rows.kind[row], span.kind & 0xff);
    this.same(`status ${of}`, rows.status[row], (span.status?.code ?? 0) & 0xff);
    this.same(`resource ${of}`, rows.resource[row], place.resource);
    this.same(`scope ${of}`, rows.scope[row], place.scope);
    const parent = rows.parentId[row] as number;
    if (span.parentSpanId.length !== 8) this.same(`parent ${of}`, parent, -1);
    else this.id(`parent ${of}`, span.parentSpanId, parent);
    const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
    const startMs = ((start.high >>> 0) * 2 ** 32) / NS_PER_MS + (start.low >>> 0) / NS_PER_MS;
    const startDiffers = Math.abs((rows.startMs[row] as number) - startMs) > startMs * 2 ** -50;
    if (startDiffers) this.same(`start ${of}`, rows.startMs[row], startMs);
    const highs = ((end.high >>> 0) - (start.high >>> 0)) * 2 ** 32;
    const lows = (end.low >>> 0) - (start.low >>> 0);
    this.same(`duration ${of}`, rows.durationNs[row], highs + lows);
    if (!withValues) return;
    const { own, events } = this.parts(rows.firstValue[row], rows.endValue[row]);
    this.attributes(span.attributes, own, of);
    const wanted = span.events.filter(({ name }) => this.wanted.event(name));
    this.same(`events ${of}`, events.length, wanted.length);
    for (const [index, event] of wanted.entries()) this.event(event, events[index] ?? [], of);
  }

  /** A span's own values, and those of each event with its marker before them. */
  private parts(first = 0, end = 0): { own: number[]; events: number[][] } {
    const { valueTag, valueOffset } = this.rows;
    const own: number[] = [];
    const events: number[][] = [];
    for (let at = first; at < end; at++) {
      if (TYPES[(valueTag[at] as number) & 7] !== "event") own.push(at);
      else {
        const last = at + (valueOffset[at] as number);
        events.push(between(at, last + 1));
        at = last;
      }
    }
    return { own, events };
  }

  private event(event: Event, [marker = -1, ...values]: readonly number[], of: string): void {
    const { valueTag, valueNumber } = this.rows;
    const { name } = this.keys.known((valueTag[marker] as number) >> 3);
    this.same(`event ${of}`, name, event.name);
    const { high, low } = event.timeUnixNano;
    const ms = ((high >>> 0) * 2 ** 32) / NS_PER_MS + (low >>> 0) / NS_PER_MS;
    const differs = Math.abs((valueNumber[marker] as number) - ms) > ms * 2 ** -50;
    if (differs) this.same(`time of event ${of}`, valueNumber[marker], ms);
    this.attributes(event.attributes, values, `of event ${event.name} ${of}`);
  }

  private textAt(start: number, length: number): string {
    const { buffer, byteOffset } = this.rows.bytes;
    return Buffer.from(buffer, byteOffset + start, length).toString("utf8");
  }

  private id(name: string, id: Uint8Array, at = -1): void {
    const { bytes } = this.rows;
    for (let i = 0; i < id.length; i++) {
      if (bytes[at + i] !== id[i]) this.same(`${name}, byte ${i}`, bytes[at + i], id[i]);
    }
  }

  private attributes(list: readonly Attribute[], order: readonly number[], of: string): void {
    this.order = order;
    this.position = 0;
    for (const { key, value } of list) {
      if (this.wanted.key(key)) this.value(key, value, 0, of);
    }
    this.same(`number of values ${of}`, this.position, order.length);
  }

  private get at(): number {
    return this.order[this.position] ?? -1;
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
    this.same(`value of ${key} ${of}`, this.textAt(start, length), text);
  }

  private next(key: string, type: string, number: number, of: string): void {
    const tag = this.rows.valueTag[this.at] as number;
    this.same(`type of ${key} ${of}`, TYPES[tag & 7], type);
    this.same(`value of ${key} ${of}`, this.rows.valueNumber[this.at], number);
    this.key(this.keys.known(tag >> 3).name, key, of);
    this.position++;
  }

  /** A key of a template that cannot be kept counts under the template. */
  private key(found: string, key: string, of: string): void {
    if (found === key) return;
    const [before = "", ending] = found.split("*");
    if (ending && key.startsWith(before) && key.endsWith(ending)) return;
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

function between(first = 0, end = 0): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

function toNumber({ low, high }: Long): number {
  return high * 2 ** 32 + (low >>> 0);
}
