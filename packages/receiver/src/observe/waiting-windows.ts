/**
 * The open windows of one signal that are longer than the shortest: what has closed of each, at
 * rest in one buffer. They change when the shortest window ends, so that taking them apart and
 * together again costs nothing that matters, and room is what counts: see packed-grid.ts.
 */
import {
  CategoryCounts,
  mergePackedGrid,
  PACKED_GRID_BYTES_MAX,
  packGridInto,
  SummaryFormatError,
  unpackGrid,
} from "@tidemark/stats";
import type { Summary } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import type { WindowLength } from "../window-lengths.js";
import { recounted } from "./window-summary.js";

const NOTHING = new Uint8Array(0);
/** Numbers are read where they lie, on multiples of eight bytes. */
const ALIGNMENT = 8;
/** Room is taken in such steps, and given back when the windows need a fraction of it. */
const ROOM_STEP = 128;
const SLACK_MAX = 8;

/** Where the windows of one signal are put together; it grows with the largest. */
let scratch = new Uint8Array(65_536);

/** At most one summary a window length. */
export class WaitingWindows {
  private readonly reference: Reference;
  private readonly lengths: readonly WindowLength[];
  /** A word a length, which says how many bytes its summary has; then these, each aligned. */
  private bytes: Uint8Array = NOTHING;
  /** Grows with every change. */
  count = 0;
  readonly missing = 0;

  constructor(reference: Reference, lengths: readonly WindowLength[]) {
    this.reference = reference;
    this.lengths = lengths;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.bytes.length === 0;
  }

  /** A copy of what a length has so far. */
  get(length: number): Summary | undefined {
    const packed = this.packed(length);
    return packed.length === 0 ? undefined : unpack(this.reference, packed);
  }

  /** Adds what a length has so far to a summary. */
  addTo(summary: Summary, length: number): void {
    const packed = this.packed(length);
    if (packed.length === 0) return;
    if (summary instanceof CategoryCounts) summary.merge(CategoryCounts.deserialise(packed));
    else mergePackedGrid(summary, packed);
  }

  /** Replaces what some lengths have; null for nothing, undefined for no change. */
  set(changes: readonly (Summary | null | undefined)[]): void {
    const isChange = (change: Summary | null | undefined, length: number) =>
      change ? true : change === null && this.size(length) > 0;
    if (!changes.some(isChange)) return;
    this.rewrite((length, at) => {
      const change = changes[length];
      if (change === undefined) return write(this.packed(length), at);
      return change === null ? 0 : writeSummary(change, at);
    });
  }

  /** Takes up what windows on another reference have, on this one. */
  takeFrom(others: WaitingWindows): void {
    const held = this.lengths.map((_, length) => others.get(length));
    this.set(held.map((summary) => summary && recounted(summary, this.reference)));
  }

  /** What waits, with the reference and the lengths that it belongs to. */
  serialise(): Uint8Array {
    const { lengths, reference } = this;
    const bytes = this.bytes.subarray(0, this.startOf(lengths.length));
    const parts = lengths.flatMap(({ ms }, length) => {
      const packed = this.packed(length);
      return packed.length === 0 ? [] : [{ ms, at: packed.byteOffset, size: packed.length }];
    });
    const head = Buffer.from(JSON.stringify({ grid: gridOf(reference), parts }));
    const out = Buffer.allocUnsafe(4 + head.length + bytes.length);
    out.writeUInt32LE(head.length);
    out.set(head, 4);
    out.set(bytes, 4 + head.length);
    return out;
  }

  /**
   * Takes up what an earlier run had; a length that is no more is left out.
   * @throws SummaryFormatError when it was counted on another reference
   */
  restore(stored: Uint8Array): void {
    const all = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    const headEnd = 4 + all.readUInt32LE();
    const { grid, parts } = JSON.parse(all.toString("utf8", 4, headEnd)) as {
      grid: string;
      parts: { ms: number; at: number; size: number }[];
    };
    if (grid !== gridOf(this.reference)) {
      throw new SummaryFormatError(`windows on grid ${grid} are not of this reference`);
    }
    this.rewrite((length, to) => {
      const part = parts.find((one) => one.ms === this.lengths[length]?.ms);
      if (part === undefined) return 0;
      const from = headEnd + part.at;
      return writeSummary(unpack(this.reference, all.subarray(from, from + part.size)), to);
    });
  }

  private packed(length: number): Uint8Array {
    const size = this.size(length);
    if (size === 0) return NOTHING;
    const start = this.startOf(length);
    return this.bytes.subarray(start, start + size);
  }

  /** Where the summary of a length begins; after the last one, where all of them end. */
  private startOf(length: number): number {
    let start = aligned(4 * this.lengths.length);
    for (let before = 0; before < length; before++) start += aligned(this.size(before));
    return start;
  }

  private size(length: number): number {
    if (this.isEmpty) return 0;
    const { bytes } = this;
    const at = 4 * length;
    const low = (bytes[at] as number) + 256 * (bytes[at + 1] as number);
    return low + 65_536 * ((bytes[at + 2] as number) + 256 * (bytes[at + 3] as number));
  }

  /** @param part writes what a length has to scratch, and returns its bytes; 0 for nothing */
  private rewrite(part: (length: number, at: number) => number): void {
    this.count++;
    const { lengths } = this;
    const head = aligned(4 * lengths.length);
    let end = head;
    const sizes = lengths.map((_, length) => {
      const size = part(length, end);
      scratch.fill(0, end + size, end + aligned(size));
      end += aligned(size);
      return size;
    });
    if (end === head) {
      this.bytes = NOTHING;
      return;
    }
    // They change every few minutes: what is thrown away each time takes more room than some slack.
    const room = this.bytes.length;
    if (room < end || room > SLACK_MAX * end) {
      this.bytes = new Uint8Array(Math.ceil(end / ROOM_STEP) * ROOM_STEP);
    }
    new Uint32Array(this.bytes.buffer, 0, sizes.length).set(sizes);
    this.bytes.set(scratch.subarray(head, end), head);
  }
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

function gridOf(reference: Reference): string {
  return reference.kind === "numeric" ? reference.grid.id : "";
}

/** Both put bytes into scratch, from `at` on, and return how many. */
function write(bytes: Uint8Array, at: number): number {
  reserve(at + bytes.length);
  scratch.set(bytes, at);
  return bytes.length;
}

function writeSummary(summary: Summary, at: number): number {
  if (summary instanceof CategoryCounts) return write(summary.serialise(), at);
  reserve(at + PACKED_GRID_BYTES_MAX);
  return packGridInto(summary, scratch, at);
}

function reserve(size: number): void {
  if (size + ALIGNMENT <= scratch.length) return;
  const larger = new Uint8Array(2 * size);
  larger.set(scratch);
  scratch = larger;
}

function unpack(reference: Reference, packed: Uint8Array): Summary {
  if (reference.kind !== "numeric") return CategoryCounts.deserialise(packed);
  return unpackGrid(reference.grid, packed);
}
