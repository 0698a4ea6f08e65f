/**
 * Collects what a span says of a model call, a retrieval or an evaluation, in whatever dialect: by
 * concept, the value of the attribute that comes first in the table of dialects.
 */
import type { Concept, DialectEvent } from "@tidemark/semconv";
import { DIALECT_ATTRIBUTES, DIALECT_EVENTS } from "@tidemark/semconv";
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_EVENT } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";

/** Values of one concept that are looked at, such as the scores of the documents found. */
const VALUES_MAX = 256;
const EVENTS_MAX = 256;

/** Where a concept's values are; the rows of an event are those of its own attributes. */
export class ConceptValues {
  /** The row in the table of dialects; more than any when the span does not have the concept. */
  row = Number.MAX_SAFE_INTEGER;
  /** Indexes of values; several for a list. */
  readonly at: number[] = [];

  /** Takes a value when no attribute that comes first in the table has one. */
  offer(row: number, at: number): void {
    if (row > this.row) return;
    if (row < this.row) this.at.length = 0;
    this.row = row;
    if (this.at.length < VALUES_MAX) this.at.push(at);
  }

  clear(): void {
    this.row = Number.MAX_SAFE_INTEGER;
    this.at.length = 0;
  }
}

/** An event of the span: its attributes are the values in [first, end). */
export interface CallEvent {
  readonly tells: DialectEvent["tells"];
  readonly timeMs: number;
  readonly first: number;
  readonly end: number;
}

/** Scratch: the concepts of one span. */
export class CallParts {
  readonly events: CallEvent[] = [];
  /** The attributes that say what kind of call it is: all of them have a say. */
  readonly activities: number[] = [];
  private readonly values = new Map<Concept, ConceptValues>();
  private readonly touched: ConceptValues[] = [];
  private readonly keys: KeyTable;

  constructor(keys: KeyTable) {
    this.keys = keys;
    for (const { concept } of DIALECT_ATTRIBUTES) this.values.set(concept, new ConceptValues());
  }

  /** Collects anew, from the values in [first, end). */
  collect(rows: SpanRows, first: number, end: number): void {
    for (const values of this.touched.splice(0)) values.clear();
    this.activities.length = 0;
    this.events.length = 0;
    this.add(rows, first, end, undefined);
  }

  /** Adds one concept from other values, such as those of the span's resource. */
  addConcept(rows: SpanRows, first: number, end: number, concept: Concept): void {
    this.add(rows, first, end, concept);
  }

  /** Where the values of a concept are; empty when there are none. */
  of(concept: Concept): ConceptValues {
    return this.values.get(concept) as ConceptValues;
  }

  private add(rows: SpanRows, first: number, end: number, only: Concept | undefined): void {
    const { valueTag, valueNumber, valueOffset } = rows;
    for (let at = first; at < end; at++) {
      const tag = valueTag[at] as number;
      const role = this.keys.roleOf(tag >> TYPE_BITS);
      if (role < ROLE.dialect) continue;
      if ((tag & TYPE_MASK) === VALUE_EVENT) {
        const last = at + (valueOffset[at] as number);
        this.addEvent(role - ROLE.event, valueNumber[at] as number, at + 1, last + 1);
        at = last;
        continue;
      }
      const row = role - ROLE.dialect;
      const concept = DIALECT_ATTRIBUTES[row]?.concept;
      if (concept === undefined || (only !== undefined && concept !== only)) continue;
      if (concept === "activity") this.addActivity(at);
      const values = this.of(concept);
      if (values.at.length === 0) this.touched.push(values);
      values.offer(row, at);
    }
  }

  private addActivity(at: number): void {
    if (this.activities.length < VALUES_MAX) this.activities.push(at);
  }

  private addEvent(row: number, timeMs: number, first: number, end: number): void {
    const tells = DIALECT_EVENTS[row]?.tells;
    if (tells === undefined || this.events.length === EVENTS_MAX) return;
    this.events.push({ tells, timeMs, first, end });
  }
}
