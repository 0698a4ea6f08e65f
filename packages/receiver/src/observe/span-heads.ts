/** Which model, version and stage spans name, in whatever dialect. */
import type { Concept } from "@tidemark/semconv";
import { DIALECT_ATTRIBUTES, DIALECT_EVENTS } from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_STRING } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { ObserverState } from "./observer-state.js";
import { PURPOSE } from "./signal-plan.js";

const ABSENT = -1;
const UNRANKED = Number.MAX_SAFE_INTEGER;
/** What OpenTelemetry calls a service that does not say its name. */
const UNKNOWN_SERVICE = "unknown_service";
const encoder = new TextEncoder();

/**
 * How well a row of the table of dialects names the model; the lowest rank is the best. What was
 * asked for goes before what has answered: a provider that switches its model is to be seen.
 */
const MODEL_RANKS = DIALECT_ATTRIBUTES.map(({ concept }, row) => {
  const order = ["model", "responseModel", "dataSource"].indexOf(concept);
  return order < 0 ? UNRANKED : order * DIALECT_ATTRIBUTES.length + row;
});

/** What one span or resource says; strings are interned, negative when absent. */
interface Head {
  model: number;
  version: number;
  stage: number;
}

/** What is to be counted although its span names no model: it then belongs to the service. */
const MODELLESS: ReadonlySet<Concept> = new Set([
  "retrievalScore",
  "retrievalDocuments",
  "evaluationScore",
  "evaluationLabel",
]);
const IS_MODELLESS = new Uint8Array(ROLE.event + DIALECT_EVENTS.length);
for (const [row, { concept }] of DIALECT_ATTRIBUTES.entries()) {
  if (MODELLESS.has(concept)) IS_MODELLESS[ROLE.dialect + row] = 1;
}

/** Scratch: the spans of a part of a request that name a model, as columns. */
export class SpanHeads {
  /** Which spans; the other columns are in the same order. */
  readonly span: Int32Array;
  readonly model: Int32Array;
  readonly version: Int32Array;
  readonly stage: Int32Array;
  private readonly state: ObserverState;
  /** The present span's, and that of the resource it belongs to. */
  private readonly own: Head = { model: ABSENT, version: ABSENT, stage: ABSENT };
  private readonly resource: Head = { model: ABSENT, version: ABSENT, stage: ABSENT };
  /** What the last spans named, by role: most likely the next one names the same. */
  private readonly likely = new Int32Array(ROLE.event).fill(ABSENT);

  constructor(state: ObserverState, capacity: number) {
    this.state = state;
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
      if (own.model < 0) own.model = this.modelOfPurpose(rows, span, first, last);
      if (own.model < 0) continue;
      this.span[count] = span;
      this.model[count] = own.model;
      this.version[count] = own.version;
      this.stage[count++] = own.stage;
    }
    return count;
  }

  /** What the span's resource calls its service; undefined when it has no name. */
  serviceName(rows: SpanRows, span: number): string | undefined {
    const service = this.serviceOf(rows, span);
    return service < 0 ? undefined : this.state.strings.text(service);
  }

  private scan(rows: SpanRows, head: Head, first = 0, end = 0): void {
    const { keys } = this.state;
    const { valueTag } = rows;
    let best = UNRANKED;
    let bestAt = ABSENT;
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
      } else if (role === ROLE.stage) {
        if (stage < 0) stage = this.intern(rows, at, role);
      } else if (role >= ROLE.dialect) {
        const rank = MODEL_RANKS[role - ROLE.dialect] ?? UNRANKED;
        if (rank < best) {
          best = rank;
          bestAt = at;
        }
      }
    }
    if (model < 0 && bestAt >= 0) {
      model = this.intern(rows, bestAt, keys.roleOf((valueTag[bestAt] as number) >> TYPE_BITS));
    }
    head.model = model;
    head.version = version;
    head.stage = stage;
  }

  /**
   * The model of a span that names none, and has something to be counted all the same: what the
   * configuration says, or the service.
   */
  private modelOfPurpose(rows: SpanRows, span: number, first: number, end: number): number {
    const { keys, plan } = this.state;
    let isOfService = false;
    for (let at = first; at < end; at++) {
      const key = (rows.valueTag[at] as number) >> TYPE_BITS;
      const name = plan.purposeOf(key) & PURPOSE.declared ? plan.modelOf(key) : undefined;
      if (name !== undefined) return this.internText(name);
      if (IS_MODELLESS[keys.roleOf(key)] === 1) isOfService = true;
    }
    return isOfService ? this.serviceOf(rows, span) : ABSENT;
  }

  private serviceOf(rows: SpanRows, span: number): number {
    const resource = rows.resource[span] as number;
    const end = rows.resourceEnd[resource] as number;
    for (let at = rows.resourceFirst[resource] as number; at < end; at++) {
      const tag = rows.valueTag[at] as number;
      if (this.state.keys.roleOf(tag >> TYPE_BITS) !== ROLE.serviceName) continue;
      if ((tag & TYPE_MASK) === VALUE_STRING) return this.intern(rows, at, ROLE.serviceName);
    }
    return this.internText(UNKNOWN_SERVICE);
  }

  private internText(text: string): number {
    const bytes = encoder.encode(text);
    return this.state.strings.intern(new DataView(bytes.buffer), 0, bytes.length);
  }

  private intern({ view, valueOffset, valueNumber }: SpanRows, at: number, role: number): number {
    const { likely } = this;
    const { strings } = this.state;
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
