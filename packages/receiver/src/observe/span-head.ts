/** Which model, version and stage a span names, in one pass over its values. */
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_STRING } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { ByteInterner } from "./byte-interner.js";

const ABSENT = -1;

/** Scratch: it holds what the last span said. Strings are interned; negative when absent. */
export class SpanHead {
  model = ABSENT;
  version = ABSENT;
  stage = ABSENT;
  private readonly keys: KeyTable;
  private readonly strings: ByteInterner;

  constructor(keys: KeyTable, strings: ByteInterner) {
    this.keys = keys;
    this.strings = strings;
  }

  /** Reads a span, and for what it does not say its resource; false when there is no model. */
  read(rows: SpanRows, span: number): boolean {
    this.model = this.version = this.stage = ABSENT;
    this.scan(rows, rows.firstValue[span] as number, rows.endValue[span] as number);
    if (this.model < 0 || this.version < 0) {
      const resource = rows.resource[span] as number;
      const first = rows.resourceFirst[resource] as number;
      this.scan(rows, first, rows.resourceEnd[resource] as number);
    }
    return this.model >= 0;
  }

  private get isIncomplete(): boolean {
    return this.model < 0 || this.version < 0 || this.stage < 0;
  }

  private scan(rows: SpanRows, first: number, end: number): void {
    const { keys } = this;
    for (let at = first; at < end && this.isIncomplete; at++) {
      const tag = rows.valueTag[at] as number;
      if ((tag & TYPE_MASK) !== VALUE_STRING) continue;
      const role = keys.roleOf(tag >> TYPE_BITS);
      if (role === ROLE.modelName) {
        if (this.model < 0) this.model = this.intern(rows, at);
      } else if (role === ROLE.modelVersion) {
        if (this.version < 0) this.version = this.intern(rows, at);
      } else if (role === ROLE.stage && this.stage < 0) this.stage = this.intern(rows, at);
    }
  }

  private intern(rows: SpanRows, at: number): number {
    const length = rows.valueNumber[at] as number;
    return this.strings.intern(rows.bytes, rows.valueOffset[at] as number, length);
  }
}
