/**
 * One instance of the decoder in WebAssembly (packages/receiver/assembly), with its memory: a body,
 * the keys that it knows, and the rows that it writes.
 */
import { readFileSync } from "node:fs";
import type { KeyTable } from "./key-table.js";

/** As much of WebAssembly as is used here; TypeScript has its types only for browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Where the report is. */
  reportAt(): number;
  /** Room for a body, and where it is. */
  reserve(bytes: number): number;
  /** Reads the body that was put there; traps when it holds more rows than there may be. */
  read(bytes: number): void;
  /** After a trap: whether that was why, which is then reported as the fault. */
  reportFull(): boolean;
  /** Enters a key of the body; false when there is no room. */
  remember(offset: number, length: number, id: number): boolean;
  /** Makes the body's first eight bytes those of a template. */
  rememberTemplate(): boolean;
  /** Makes the body the name of an event. */
  rememberEvent(length: number, id: number): boolean;
}

/** The words of the report, as assembly/trace.ts writes it. */
export const REPORT = {
  spanCount: 0,
  resourceCount: 1,
  valueCount: 2,
  rejectedCount: 3,
  rejectedReason: 4,
  spanCapacity: 5,
  spansAt: 6,
  valueCapacity: 7,
  valuesAt: 8,
  resourceCapacity: 9,
  resourcesAt: 10,
  faultCode: 11,
  faultOffset: 12,
  scopeCount: 13,
  scopeCapacity: 14,
  scopesAt: 15,
} as const;
const REPORT_WORDS = 16;

/** The same folder from src/otlp and from dist/otlp. */
const file = new URL("../../wasm/trace-reader.wasm", import.meta.url);
const module = new WebAssembly.Module(readFileSync(file));
const encoder = new TextEncoder();

/** A decoder that knows the keys of one table; what it has read is valid until it reads again. */
export class TraceInstance {
  /** What the last read has left, by {@link REPORT}. */
  report = new Int32Array(0);
  private detail = new Float64Array(0);
  private heap = new Uint8Array(0);
  private readonly wasm: Exports;
  private readonly keys: KeyTable;
  /** What is being read; keys to learn are read from here. */
  private body: Uint8Array = this.heap;

  /** @throws TypeError when the table wants more keys than a decoder has room for */
  constructor(keys: KeyTable) {
    const learn = (offset: number, length: number) => this.learn(offset, length);
    const imports = { "key-cache": { learn } };
    this.wasm = new WebAssembly.Instance(module, imports).exports as Exports;
    this.keys = keys;
    this.look();
    for (const [name, id] of keys.fixed) {
      const bytes = encoder.encode(name);
      this.put(bytes);
      if (!this.wasm.remember(0, bytes.length, id)) throw new TypeError(`no room for "${name}"`);
    }
    for (const prefix of keys.prefixes) {
      this.put(encoder.encode(prefix));
      if (!this.wasm.rememberTemplate()) throw new TypeError(`no room for template "${prefix}"`);
    }
    for (const [name, id] of keys.events) {
      const bytes = encoder.encode(name);
      this.put(bytes);
      const known = this.wasm.rememberEvent(bytes.length, id);
      if (!known) throw new TypeError(`no room for event "${name}"`);
    }
  }

  /** All memory that it holds. */
  get buffer(): ArrayBuffer {
    return this.heap.buffer;
  }

  /** The number that belongs to the fault in the report. */
  get faultDetail(): number {
    return this.detail[0] as number;
  }

  /** Reads a body; {@link report} says what came of it. */
  read(bytes: Uint8Array): void {
    this.put(bytes);
    this.body = bytes;
    try {
      this.wasm.read(bytes.length);
    } catch (error) {
      if (!this.wasm.reportFull()) throw error;
    }
    if (this.heap.length === 0) this.look();
  }

  private put(bytes: Uint8Array): void {
    const at = this.wasm.reserve(bytes.length);
    if (this.heap.length === 0) this.look();
    this.heap.set(bytes, at);
  }

  /** Looks at memory anew: when it grows, its old views are empty. */
  private look(): void {
    const { buffer } = this.wasm.memory;
    const at = this.wasm.reportAt();
    this.heap = new Uint8Array(buffer);
    this.report = new Int32Array(buffer, at, REPORT_WORDS);
    this.detail = new Float64Array(buffer, at + REPORT_WORDS * 4, 1);
  }

  /** What overflows is counted each time, so it is asked for each time. */
  private learn(offset: number, length: number): number {
    const { keys } = this;
    const { overflowCount } = keys;
    const id = keys.lookup(this.body, offset, length);
    if (keys.overflowCount === overflowCount) this.wasm.remember(offset, length, id);
    return id;
  }
}
