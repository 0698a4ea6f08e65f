/**
 * Appends an attribute to some spans of a trace request, in flight: the span grows, the lengths of
 * the messages around it are written anew, and every other byte stays as it was. Protobuf allows
 * a repeated field anywhere in its message, so the attribute goes to the span's end.
 */
import { FAULT, WIRE_LENGTH, WireCursor } from "./wire.js";

/** A span to annotate. */
export interface SpanFlag {
  /** Offset in the body of a byte within the span, such as its id. */
  readonly at: number;
  /** What the attribute lists. */
  readonly values: readonly string[];
}

/** Field numbers from the request down to a span: resource_spans, scope_spans, spans. */
const PATH = [1, 2, 2];
const TAG_ATTRIBUTES = (9 << 3) | WIRE_LENGTH;
const TAG_KEY = (1 << 3) | WIRE_LENGTH;
const TAG_VALUE = (2 << 3) | WIRE_LENGTH;
const TAG_STRING = (1 << 3) | WIRE_LENGTH;
const TAG_ARRAY = (5 << 3) | WIRE_LENGTH;
const TAG_VALUES = (1 << 3) | WIRE_LENGTH;
const encoder = new TextEncoder();

/**
 * The body with the attribute `key`, a list of strings, on each flagged span.
 * @param body a valid trace request, not compressed
 * @param flags ascending by `at`
 * @throws RangeError when a flag lies in no span
 */
export function annotateSpans(
  body: Uint8Array,
  key: string,
  flags: readonly SpanFlag[],
): Uint8Array {
  const writer = new SpanAnnotator(body, key, flags);
  return writer.run();
}

class SpanAnnotator {
  private readonly body: Uint8Array;
  private readonly key: string;
  private readonly flags: readonly SpanFlag[];
  private readonly cursor = new WireCursor();
  private nextFlag = 0;

  constructor(body: Uint8Array, key: string, flags: readonly SpanFlag[]) {
    this.body = body;
    this.key = key;
    this.flags = flags;
    this.cursor.bytes = body;
  }

  run(): Uint8Array {
    const parts = this.message(0, this.body.length, 0);
    const flag = this.flags[this.nextFlag];
    if (flag) throw new RangeError(`there is no span at byte ${flag.at}`);
    return Buffer.concat(parts);
  }

  /** The message at [at, end) as parts; runs of unchanged bytes are one part. */
  private message(at: number, end: number, depth: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let copied = at;
    let p = at;
    while (p < end && this.flagBefore(end)) {
      const fieldAt = p;
      const valueAt = this.check(this.cursor.tag(p, end));
      const tag = this.cursor.low;
      p = this.check(this.cursor.skip(valueAt, end, tag & 7));
      if (tag !== (((PATH[depth] as number) << 3) | WIRE_LENGTH) || !this.flagBefore(p)) continue;
      const contentAt = p - this.cursor.low;
      const content = this.element(contentAt, p, depth);
      parts.push(this.body.subarray(copied, fieldAt), lengthPrefixed(tag, content), ...content);
      copied = p;
    }
    parts.push(this.body.subarray(copied, end));
    return parts;
  }

  /** An element of the list at `depth` that holds at least one flag. */
  private element(at: number, end: number, depth: number): Uint8Array[] {
    if (depth + 1 < PATH.length) return this.message(at, end, depth + 1);
    const values: string[] = [];
    for (; this.flagBefore(end); this.nextFlag++) {
      values.push(...(this.flags[this.nextFlag] as SpanFlag).values);
    }
    return [this.body.subarray(at, end), encodeAttribute(this.key, values)];
  }

  private flagBefore(end: number): boolean {
    const flag = this.flags[this.nextFlag];
    return flag !== undefined && flag.at < end;
  }

  private check(position: number): number {
    if (position !== FAULT) return position;
    throw new RangeError(`no trace request: ${this.cursor.error?.message}`);
  }
}

function encodeAttribute(key: string, values: readonly string[]): Uint8Array {
  const list = values.flatMap((value) => field(TAG_VALUES, field(TAG_STRING, [text(value)])));
  const attribute = [...field(TAG_KEY, [text(key)]), ...field(TAG_VALUE, field(TAG_ARRAY, list))];
  return Buffer.concat(field(TAG_ATTRIBUTES, attribute));
}

function field(tag: number, content: readonly Uint8Array[]): Uint8Array[] {
  return [lengthPrefixed(tag, content), ...content];
}

/** The tag, and how long the content behind it is. */
function lengthPrefixed(tag: number, content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Uint8Array.from([...varint(tag), ...varint(length)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

function text(value: string): Uint8Array {
  return encoder.encode(value);
}
