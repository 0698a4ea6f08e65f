import { giveBody, takeBody } from "../body-pool.js";

/** What a body grows to when nobody has said how long it will be. */
const FIRST_BYTES = 64 * 1024;

/**
 * Joins the pieces of a body. They are copied into one buffer as they come: kept one by one, a body
 * that is sent byte by byte would take two hundred times its size.
 */
export class ByteCollector {
  private readonly expectedBytes: number | undefined;
  private buffer: Buffer | undefined;
  private whole: Buffer | undefined;
  private lengthBytes = 0;

  /** @param expectedBytes the length, where it is known; no more than that may be pushed */
  constructor(expectedBytes?: number) {
    this.expectedBytes = expectedBytes;
  }

  /** Bytes so far. */
  get length(): number {
    return this.lengthBytes;
  }

  push(chunk: Buffer): void {
    const at = this.lengthBytes;
    this.lengthBytes += chunk.length;
    // Most bodies come in one piece, which then needs no copy.
    if (at === 0 && this.lengthBytes === this.expectedBytes) {
      this.whole = chunk;
      return;
    }
    this.buffer ??= takeBody(this.expectedBytes ?? FIRST_BYTES);
    if (this.lengthBytes > this.buffer.length) {
      const larger = takeBody(Math.max(2 * this.buffer.length, this.lengthBytes));
      this.buffer.copy(larger, 0, 0, at);
      giveBody(this.buffer);
      this.buffer = larger;
    }
    chunk.copy(this.buffer, at);
  }

  /** All of it; a view of a buffer that may be larger. */
  bytes(): Buffer {
    return this.whole ?? this.buffer?.subarray(0, this.lengthBytes) ?? Buffer.alloc(0);
  }
}
