/**
 * The changes of one transaction on their way to the thread of the store, some at a time. Bytes are
 * copied as they come, into a few buffers that are handed over as they are: a hundred thousand
 * items with a buffer each took half a gigabyte until all of them were garbage.
 */
import type { StateChange } from "./state-request.js";

/** Changes that are sent at once: some milliseconds. */
const PART_CHANGES = 1000;
/** Items share buffers of this size; what is larger gets one of its own. */
const BUFFER_BYTES = 64 * 1024;

/** What is sent at once. */
export interface StatePart {
  readonly changes: StateChange[];
  /** Of all bytes among the changes. */
  readonly buffers: ArrayBuffer[];
}

/** A queue of parts, of which the last one grows. */
export class StateParts {
  private readonly parts: StatePart[] = [];
  private room = new Uint8Array(0);
  private used = 0;

  /** Whether there is enough to be sent. */
  get isFull(): boolean {
    return this.parts.length > 1;
  }

  /** Adds a change. */
  add(change: StateChange): void {
    const { changes, buffers } = this.growing();
    changes.push(change);
    if (change.verb === "write") buffers.push(change.bytes.buffer);
  }

  /** Adds an item; its bytes are copied. */
  put(kind: string, key: string, body: Uint8Array | string): void {
    const part = this.growing();
    const copy = typeof body === "string" ? body : this.copy(body, part);
    part.changes.push({ verb: "put", kind, key, body: copy });
  }

  /** Takes the oldest part. */
  shift(): StatePart | undefined {
    const part = this.parts.shift();
    // What is handed over is not written to any more.
    if (this.parts.length === 0) this.seal();
    return part;
  }

  private growing(): StatePart {
    let part = this.parts.at(-1);
    if (part === undefined || part.changes.length === PART_CHANGES) {
      part = { changes: [], buffers: [] };
      this.parts.push(part);
      this.seal();
    }
    return part;
  }

  private copy(bytes: Uint8Array, { buffers }: StatePart): Uint8Array {
    if (this.used + bytes.length > this.room.length) {
      const buffer = new ArrayBuffer(Math.max(BUFFER_BYTES, bytes.length));
      buffers.push(buffer);
      this.room = new Uint8Array(buffer);
      this.used = 0;
    }
    this.room.set(bytes, this.used);
    this.used += bytes.length;
    return this.room.subarray(this.used - bytes.length, this.used);
  }

  private seal(): void {
    this.room = new Uint8Array(0);
    this.used = 0;
  }
}
