/** Makes bodies that no encoder makes: whole ones of another shape, and broken ones. */
import { MESSAGES } from "./strict-walk.ts";

type Random = () => number;

/** Bytes at which decoders change their minds: tags, lengths, continuation bits, zeros. */
const INTERESTING = Buffer.from(
  "0001040708 0a0b0c0d 10121821 2a3032393a 414a 505a606a707a 7f80818a c2e2edf4 feff".replaceAll(
    " ",
    "",
  ),
  "hex",
);
/** The longest body that comes out; the scratch that holds it. */
const BYTES_MAX = 64 * 1024;

/** Edits copies of bodies in one buffer, so that a run makes no garbage. */
export class BodyMutator {
  private readonly random: Random;
  private readonly scratch = Buffer.alloc(BYTES_MAX);
  private length = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** One of the bodies with up to four edits; a view that the next call overwrites. */
  next(bodies: readonly Uint8Array[]): Buffer {
    const body = this.pick(bodies);
    this.scratch.set(body);
    this.length = body.length;
    for (let edits = this.below(5); edits > 0; edits--) this.edit(bodies);
    return this.scratch.subarray(0, this.length);
  }

  private edit(bodies: readonly Uint8Array[]): void {
    const { scratch } = this;
    const at = this.below(this.length + 1);
    const byte = this.below(2) === 0 ? this.below(256) : this.interesting();
    switch (this.below(7)) {
      case 0:
        scratch[at] = (scratch[at] as number) ^ (1 << this.below(8));
        return;
      case 1:
        scratch[at] = byte;
        return;
      case 2:
        return this.replace(at, 1 + this.below(8), new Uint8Array(0));
      case 3:
        return this.replace(at, 0, new Uint8Array(1 + this.below(3)).fill(byte));
      case 4:
        scratch.copyWithin(at, at + 1 + this.below(4));
        return;
      case 5: {
        this.length = this.below(8) === 0 ? at : this.length;
        return;
      }
      default: {
        const other = this.pick(bodies);
        const from = this.below(other.length + 1);
        this.replace(at, this.below(20), other.subarray(from, from + this.below(40)));
      }
    }
  }

  private replace(at: number, dropped: number, inserted: Uint8Array): void {
    const restAt = Math.min(at + dropped, this.length);
    const length = this.length - (restAt - at) + inserted.length;
    if (length > BYTES_MAX) return;
    this.scratch.copyWithin(at + inserted.length, restAt, this.length);
    this.scratch.set(inserted, at);
    this.length = length;
  }

  private interesting(): number {
    return INTERESTING[this.below(INTERESTING.length)] as number;
  }

  private pick(bodies: readonly Uint8Array[]): Uint8Array {
    return bodies[this.below(bodies.length)] as Uint8Array;
  }

  private below(end: number): number {
    return Math.floor(this.random() * end);
  }
}

interface WireField {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The content of a message, as fields. */
  readonly fields?: WireField[];
}

/**
 * The same request in a form that is allowed and that no encoder writes: fields in another order,
 * twice or not at all, unknown ones and groups between them, numbers longer than they need be.
 */
export function reshape(body: Uint8Array, random: Random): Uint8Array {
  const below = (end: number) => Math.floor(random() * end);
  return encode(reshapeAll(parse("Request", body), below), below);
}

type Below = (end: number) => number;

function reshapeAll(fields: readonly WireField[], below: Below): WireField[] {
  const result: WireField[] = [];
  for (const field of fields) {
    const { fields: inner } = field;
    const copy = inner ? { ...field, fields: reshapeAll(inner, below) } : field;
    const at = below(4) === 0 ? below(result.length + 1) : result.length;
    if (below(40) > 0) result.splice(at, 0, copy);
    if (below(40) === 0) result.splice(below(result.length + 1), 0, copy);
    if (below(40) === 0) result.splice(below(result.length + 1), 0, unknownField(below));
  }
  return result;
}

function unknownField(below: Below): WireField {
  const number = 17 + below(3000);
  const wire = [0, 1, 2, 3, 5][below(5)] as number;
  const tag = (number << 3) | wire;
  if (wire === 1 || wire === 5) return { tag, content: new Uint8Array(wire === 1 ? 8 : 4).fill(7) };
  if (wire === 0) return { tag, content: Uint8Array.of(0xff, below(128)) };
  if (wire === 2) return { tag, content: Uint8Array.of(3, 0x0a, 0xff, 0) };
  return { tag, content: Uint8Array.of(...varint(8), 1, ...varint((number << 3) | 4)) };
}

function parse(name: string, bytes: Uint8Array): WireField[] {
  const known = MESSAGES[name] ?? {};
  const fields: WireField[] = [];
  let at = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    const contentAt = at;
    if ((tag & 7) === 0) number();
    else if ((tag & 7) === 2) {
      const length = number();
      at += length;
    } else at += (tag & 7) === 1 ? 8 : 4;
    const content = bytes.subarray(contentAt, at);
    const message = known[tag >>> 3]?.message;
    if (message === undefined) fields.push({ tag, content });
    else fields.push({ tag, content, fields: parse(message, unframed(content)) });
  }
  return fields;
}

/** What a length-delimited field holds, without its length. */
function unframed(content: Uint8Array): Uint8Array {
  return content.subarray(content.findIndex((byte) => byte < 0x80) + 1);
}

function encode(fields: readonly WireField[], below: Below): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { tag, content, fields: nested } of fields) {
    parts.push(Uint8Array.from(varint(tag, below(60) === 0 ? 1 : 0)));
    if (nested === undefined) parts.push(content);
    else {
      const bytes = encode(nested, below);
      parts.push(Uint8Array.from(varint(bytes.length, below(60) === 0 ? 1 : 0)), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** With `more` bytes than it takes. */
function varint(value: number, more = 0): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  for (let i = 0; i < more; i++) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80;
    bytes.push(0);
  }
  return bytes;
}
