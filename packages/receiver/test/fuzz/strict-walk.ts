/**
 * The strict reading of a trace request, written for being obviously right and not for being fast:
 * what the selective reader must accept, and why it refuses the rest. Field numbers and types are
 * written down once more, from opentelemetry-proto, so that a slip in one place shows.
 */

/** Why a body must be refused. */
export type Violation =
  | "cut off"
  | "overrun"
  | "wire type does not exist"
  | "group end without begin"
  | "group end of another number"
  | "field number"
  | "tag or length of more than 5 bytes"
  | "varint of more than 64 bits"
  | "wrong wire type"
  | "nested too deeply";

/** What `wireViolation` found. */
export interface Walk {
  readonly violation: Violation | undefined;
  /**
   * A value, or a list in a value, is given again: protobuf merges the two, the selective reader
   * takes the last one. No encoder writes that.
   */
  readonly givenAgain: boolean;
}

/** The wire type of a known field, and the message in it. */
interface Field {
  readonly wire: 0 | 1 | 2 | 5;
  readonly message?: string;
}
const varint: Field = { wire: 0 };
const fixed64: Field = { wire: 1 };
const bytes: Field = { wire: 2 };
const fixed32: Field = { wire: 5 };
const inner = (message: string): Field => ({ wire: 2, message });

/** A message with these fields, from number 1 on. */
const numbered = (...fields: Field[]) =>
  Object.fromEntries(fields.map((field, index) => [index + 1, field]));

const spanIds = [bytes, bytes, bytes, bytes];
const spanTimes = [varint, fixed64, fixed64];
const spanLists = [inner("Event"), varint, inner("Link"), varint];
const scalars = [bytes, varint, varint, fixed64];

/** The fields of each message by number. */
export const MESSAGES: Readonly<Record<string, Readonly<Record<number, Field>>>> = {
  Request: numbered(inner("ResourceSpans")),
  ResourceSpans: numbered(inner("Resource"), inner("ScopeSpans"), bytes),
  Resource: numbered(inner("KeyValue"), varint),
  ScopeSpans: numbered(inner("Scope"), inner("Span"), bytes),
  Scope: numbered(bytes, bytes, inner("KeyValue"), varint),
  Span: numbered(
    ...spanIds,
    bytes,
    ...spanTimes,
    inner("KeyValue"),
    varint,
    ...spanLists,
    inner("Status"),
    fixed32,
  ),
  Event: numbered(fixed64, bytes, inner("KeyValue"), varint),
  Link: numbered(bytes, bytes, bytes, inner("KeyValue"), varint, fixed32),
  Status: { 2: bytes, 3: varint },
  KeyValue: numbered(bytes, inner("AnyValue")),
  AnyValue: numbered(...scalars, inner("ArrayValue"), inner("KeyValueList"), bytes),
  ArrayValue: numbered(inner("AnyValue")),
  KeyValueList: numbered(inner("KeyValue")),
};

/** Lists in lists, and groups in groups, that a body may have. */
const LIST_DEPTH_MAX = 31;
const GROUP_DEPTH_MAX = 32;
const LISTS = new Set(["ArrayValue", "KeyValueList"]);

class Refused extends Error {
  readonly violation: Violation;
  constructor(violation: Violation) {
    super(violation);
    this.violation = violation;
  }
}

/** Walks a whole body; the first violation ends it. */
export function walk(body: Uint8Array): Walk {
  const walker = new Walker(body);
  try {
    walker.message("Request", body.length, 0);
    return { violation: undefined, givenAgain: walker.givenAgain };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { violation: error.violation, givenAgain: walker.givenAgain };
  }
}

class Walker {
  givenAgain = false;
  private readonly body: Uint8Array;
  private at = 0;

  constructor(body: Uint8Array) {
    this.body = body;
  }

  message(name: string, end: number, lists: number): void {
    if (lists > LIST_DEPTH_MAX) throw new Refused("nested too deeply");
    const fields = MESSAGES[name] as Record<number, Field>;
    let values = 0;
    while (this.at < end) {
      const tag = this.tag(end);
      const field = fields[tag >>> 3];
      if (field !== undefined && field.wire !== (tag & 7)) throw new Refused("wrong wire type");
      const mergeable = name === "KeyValue" || name === "AnyValue" ? field?.message : undefined;
      if (mergeable !== undefined && values > 0) this.givenAgain = true;
      if (field !== undefined && (name === "AnyValue" || mergeable !== undefined)) values++;
      if (field?.message === undefined) this.skip(tag, end, 0);
      else {
        const length = this.short(end);
        this.checkRoom(length, end);
        const nested = lists + (LISTS.has(field.message) ? 1 : 0);
        this.message(field.message, this.at + length, nested);
      }
    }
  }

  private skip(tag: number, end: number, groups: number): void {
    const wire = tag & 7;
    if (wire === 0) this.varint(end);
    else if (wire === 1) this.pass(8, end);
    else if (wire === 2) this.pass(this.short(end), end);
    else if (wire === 3) this.group(tag >>> 3, end, groups);
    else if (wire === 4) throw new Refused("group end without begin");
    else if (wire === 5) this.pass(4, end);
    else throw new Refused("wire type does not exist");
  }

  private group(number: number, end: number, groups: number): void {
    if (groups >= GROUP_DEPTH_MAX) throw new Refused("nested too deeply");
    for (;;) {
      const tag = this.tag(end);
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== number) throw new Refused("group end of another number");
        return;
      }
      this.skip(tag, end, groups + 1);
    }
  }

  private pass(length: number, end: number): void {
    this.checkRoom(length, end);
    this.at += length;
  }

  private checkRoom(length: number, end: number): void {
    if (this.at + length <= end) return;
    throw new Refused(this.at + length > this.body.length ? "cut off" : "overrun");
  }

  private tag(end: number): number {
    const tag = this.short(end);
    if (tag >>> 3 === 0) throw new Refused("field number");
    return tag;
  }

  /** A tag or a length: 32 bits in at most 5 bytes. */
  private short(end: number): number {
    const from = this.at;
    const value = this.varint(end);
    if (this.at - from > 5 || value > 0xffff_ffffn) {
      throw new Refused("tag or length of more than 5 bytes");
    }
    return Number(value);
  }

  private varint(end: number): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      this.checkRoom(1, end);
      const byte = this.body[this.at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (value >= 1n << 64n) break;
      return value;
    }
    throw new Refused("varint of more than 64 bits");
  }
}
