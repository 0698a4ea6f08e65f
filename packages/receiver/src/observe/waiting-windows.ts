/**
 * The open windows of one signal that are longer than the shortest: what has closed of each, at
 * rest in one buffer. They change when the shortest window ends, so that taking them apart and
 * together again costs nothing that matters, and room is what counts: see packed-grid.ts.
 */
import {
  CategoryCounts,
  mergePackedGrid,
  packGrid,
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
    this.replace(
      this.lengths.map((_, length) => {
        const change = changes[length];
        if (change === undefined) return this.packed(length);
        return change === null ? NOTHING : pack(change);
      }),
    );
  }

  /** Takes up what windows on another reference have, on this one. */
  takeFrom(others: WaitingWindows): void {
    const held = this.lengths.map((_, length) => others.get(length));
    this.set(held.map((summary) => summary && recounted(summary, this.reference)));
  }

  /** What waits, with the reference and the lengths that it belongs to. */
  serialise(): Uint8Array {
    const { bytes, lengths, reference } = this;
    const parts = lengths.flatMap(({ ms }, length) => {
      const packed = this.packed(length);
      return packed.length === 0 ? [] : [{ ms, at: packed.byteOffset, size: packed.length }];
    });
    const head = Buffer.from(JSON.stringify({ grid: gridOf(reference), parts }));
    const out = Buffer.alloc(4 + head.length + bytes.length);
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
    this.replace(
      this.lengths.map(({ ms }) => {
        const part = parts.find((one) => one.ms === ms);
        if (part === undefined) return NOTHING;
        const from = headEnd + part.at;
        return pack(unpack(this.reference, all.subarray(from, from + part.size)));
      }),
    );
  }

  private packed(length: number): Uint8Array {
    const size = this.size(length);
    if (size === 0) return NOTHING;
    let start = aligned(4 * this.lengths.length);
    for (let before = 0; before < length; before++) start += aligned(this.size(before));
    return this.bytes.subarray(start, start + size);
  }

  private size(length: number): number {
    if (this.isEmpty) return 0;
    const { bytes } = this;
    const at = 4 * length;
    const low = (bytes[at] as number) + 256 * (bytes[at + 1] as number);
    return low + 65_536 * ((bytes[at + 2] as number) + 256 * (bytes[at + 3] as number));
  }

  private replace(parts: readonly Uint8Array[]): void {
    this.count++;
    const head = aligned(4 * parts.length);
    const room = parts.reduce((sum, { length }) => sum + aligned(length), 0);
    if (room === 0) {
      this.bytes = NOTHING;
      return;
    }
    const bytes = new Uint8Array(head + room);
    new Uint32Array(bytes.buffer, 0, parts.length).set(parts.map(({ length }) => length));
    let at = head;
    for (const part of parts) {
      bytes.set(part, at);
      at += aligned(part.length);
    }
    this.bytes = bytes;
  }
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

function gridOf(reference: Reference): string {
  return reference.kind === "numeric" ? reference.grid.id : "";
}

function pack(summary: Summary): Uint8Array {
  return summary instanceof CategoryCounts ? summary.serialise() : packGrid(summary);
}

function unpack(reference: Reference, packed: Uint8Array): Summary {
  if (reference.kind === "numeric") return unpackGrid(reference.grid, packed);
  return CategoryCounts.deserialise(packed);
}
