/** Which model, version and stage spans name. */
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_STRING } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { ByteInterner } from "./byte-interner.js";

const ABSENT = -1;

/** What one span or resource says; strings are interned, negative when absent. */
interface Head {
  model: number;
  version: number;
  stage: number;
}

/** Scratch: the spans of a part of a request that name a model, as columns. */
export class SpanHeads {
  /** Which spans; the other columns are in the same order. */
  readonly span: Int32Array;
  readonly model: Int32Array;
  readonly version: Int32Array;
  readonly stage: Int32Array;
  private readonly keys: KeyTable;
  private readonly strings: ByteInterner;
  /** The present span's, and that of the resource it belongs to. */
  private readonly own: Head = { model: ABSENT, version: ABSENT, stage: ABSENT };
  private readonly resource: Head = { model: ABSENT, version: ABSENT, stage: ABSENT };
  /** What the last spans named, by role: most likely the next one names the same. */
  private readonly likely = new Int32Array(Math.max(...Object.values(ROLE)) + 1).fill(ABSENT);

  constructor(keys: KeyTable, strings: ByteInterner, capacity: number) {
    this.keys = keys;
    this.strings = strings;
    this.span = new Int32Array(capacity);
    this.model = new Int32Array(capacity);
    this.version = new Int32Array(capacity);
    this.stage = new Int32Array(capacity);
  }

  /**
   * Reads the spans [from, end), and for what they do not say their resources.
   * @returns how many of them name a model
   */
  read(rows: SpanRows, from: number, end: number): number {
    const { own, resource } = this;
    const { resource: resources, firstValue, endValue } = rows;
    let known = ABSENT;
    let count = 0;
    for (let span = from; span < end; span++) {
      const owner = resources[span] as number;
      if (owner !== known) {
        known = owner;
        this.scan(rows, resource, rows.resourceFirst[owner], rows.resourceEnd[owner]);
      }
      const first = firstValue[span] as number;
      const last = endValue[span] as number;
      // Most spans of most services have nothing for us.
      if (first === last && resource.model < 0) continue;
      this.scan(rows, own, first, last);
      if (own.model < 0 || own.version < 0) complete(own, resource);
      if (own.model < 0) continue;
      this.span[count] = span;
      this.model[count] = own.model;
      this.version[count] = own.version;
      this.stage[count++] = own.stage;
    }
    return count;
  }

  private scan(rows: SpanRows, head: Head, first = 0, end = 0): void {
    const { keys } = this;
    const { valueTag } = rows;
    let model = ABSENT;
    let version = ABSENT;
    let stage = ABSENT;
    for (let at = first; at < end && (model < 0 || version < 0 || stage < 0); at++) {
      const tag = valueTag[at] as number;
      if ((tag & TYPE_MASK) !== VALUE_STRING) continue;
      const role = keys.roleOf(tag >> TYPE_BITS);
      if (role === ROLE.modelName) {
        if (model < 0) model = this.intern(rows, at, role);
      } else if (role === ROLE.modelVersion) {
        if (version < 0) version = this.intern(rows, at, role);
      } else if (role === ROLE.stage && stage < 0) stage = this.intern(rows, at, role);
    }
    head.model = model;
    head.version = version;
    head.stage = stage;
  }

  private intern({ view, valueOffset, valueNumber }: SpanRows, at: number, role: number): number {
    const { strings, likely } = this;
    const offset = valueOffset[at] as number;
    const length = valueNumber[at] as number;
    const last = likely[role] as number;
    if (last >= 0 && strings.isText(last, view, offset, length)) return last;
    const id = strings.intern(view, offset, length);
    likely[role] = id;
    return id;
  }
}

/** Takes from a resource what its span does not say. */
function complete(head: Head, resource: Head): void {
  if (head.model < 0) head.model = resource.model;
  if (head.version < 0) head.version = resource.version;
  if (head.stage < 0) head.stage = resource.stage;
}
