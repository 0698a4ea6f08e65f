/**
 * Ids of traces and spans as numbers, which they stay on their way to the wire: most spans end
 * without anybody asking for the hexadecimal digits, which would cost more than the span's times.
 */
import { randomFillSync } from "node:crypto";
import type { ByteWriter } from "./byte-writer.js";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** 512 spans that are roots take so many random numbers of 32 bits. */
const RANDOM_WORDS = 3072;

const random = new Int32Array(RANDOM_WORDS);
let randomUsed = RANDOM_WORDS;
const scratch = Buffer.alloc(TRACE_ID_BYTES);

/** 16 bytes, as 4 signed numbers of 32 bits. */
export class TraceId {
  private readonly a: number;
  private readonly b: number;
  private readonly c: number;
  private readonly d: number;

  constructor(a = randomWord(), b = randomWord(), c = randomWord(), d = randomWord()) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  static of(digits: string): TraceId {
    scratch.write(digits, "hex");
    return new TraceId(
      scratch.readInt32BE(0),
      scratch.readInt32BE(4),
      scratch.readInt32BE(8),
      scratch.readInt32BE(12),
    );
  }

  /** 32 hexadecimal digits. */
  toString(): string {
    scratch.writeInt32BE(this.a, 0);
    scratch.writeInt32BE(this.b, 4);
    scratch.writeInt32BE(this.c, 8);
    scratch.writeInt32BE(this.d, 12);
    return scratch.toString("hex");
  }

  /** Appends its length and its bytes; needs 17 reserved. */
  write(writer: ByteWriter): void {
    writer.byte(TRACE_ID_BYTES);
    writer.fixed32BigEndian(this.a);
    writer.fixed32BigEndian(this.b);
    writer.fixed32BigEndian(this.c);
    writer.fixed32BigEndian(this.d);
  }
}

/** 8 bytes, as 2 signed numbers of 32 bits. */
export class SpanId {
  private readonly a: number;
  private readonly b: number;

  constructor(a = randomWord(), b = randomWord()) {
    this.a = a;
    this.b = b;
  }

  static of(digits: string): SpanId {
    scratch.write(digits, "hex");
    return new SpanId(scratch.readInt32BE(0), scratch.readInt32BE(4));
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    scratch.writeInt32BE(this.a, 0);
    scratch.writeInt32BE(this.b, 4);
    return scratch.toString("hex", 0, SPAN_ID_BYTES);
  }

  /** Appends its length and its bytes; needs 9 reserved. */
  write(writer: ByteWriter): void {
    writer.byte(SPAN_ID_BYTES);
    writer.fixed32BigEndian(this.a);
    writer.fixed32BigEndian(this.b);
  }
}

/** All words of an id being 0, which would not be valid, has chance 2^-64. */
function randomWord(): number {
  if (randomUsed === RANDOM_WORDS) {
    randomFillSync(random);
    randomUsed = 0;
  }
  return random[randomUsed++] as number;
}
