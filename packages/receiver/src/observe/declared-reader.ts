/** Makes the signals that the configuration declares: of attributes, and of the span itself. */
import type { SpanRows } from "../otlp/span-rows.js";
import {
  STATUS_ERROR,
  TYPE_BITS,
  VALUE_BOOL,
  VALUE_DOUBLE,
  VALUE_EVENT,
  VALUE_INT,
} from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { Observations } from "./observations.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";
import type { DeclaredSignal } from "./signal-plan.js";
import { PURPOSE } from "./signal-plan.js";
import { ValueReader } from "./value-reader.js";

const NS_PER_S = 1e9;

/** Reads one span at a time. */
export class DeclaredReader {
  private readonly state: ObserverState;
  private readonly values: ValueReader;
  private readonly ids = new Map<DeclaredSignal, number>();
  /** Signals that the present span has had: what it says goes before what its resource says. */
  private readonly had = new Set<DeclaredSignal>();

  constructor(state: ObserverState) {
    this.state = state;
    this.values = new ValueReader(state);
  }

  /** Adds what a span, its scope and its resource have of declared signals. */
  read(rows: SpanRows, span: number, model: ObservedModel, out: Observations): void {
    this.values.look(rows, out);
    this.had.clear();
    const scope = rows.scope[span] as number;
    const resource = rows.resource[span] as number;
    this.readValues(rows, rows.firstValue[span], rows.endValue[span], model, out);
    this.readValues(rows, rows.scopeFirst[scope], rows.scopeEnd[scope], model, out);
    this.readValues(rows, rows.resourceFirst[resource], rows.resourceEnd[resource], model, out);
    for (const signal of this.state.plan.ofSpans) {
      if (!isOf(signal, model) || !("span" in signal.of)) continue;
      const id = this.idOf(signal);
      if (signal.of.span === "status") out.addEvent(id, rows.status[span] === STATUS_ERROR);
      else out.addNumber(id, Math.max(0, (rows.durationNs[span] as number) / NS_PER_S));
    }
  }

  private readValues(
    { valueTag }: SpanRows,
    first = 0,
    end = 0,
    model: ObservedModel,
    out: Observations,
  ): void {
    const { plan } = this.state;
    const here: DeclaredSignal[] = [];
    for (let at = first; at < end; at++) {
      const key = (valueTag[at] as number) >> TYPE_BITS;
      if ((plan.purposeOf(key) & PURPOSE.declared) === 0) continue;
      if (this.values.typeOf(at) === VALUE_EVENT) continue;
      for (const signal of plan.declaredOf(key)) {
        if (!isOf(signal, model) || this.had.has(signal)) continue;
        this.add(signal, at, out);
        here.push(signal);
      }
    }
    // Only now: each element of a list is a value.
    for (const signal of here) this.had.add(signal);
  }

  private add(signal: DeclaredSignal, at: number, out: Observations): void {
    const id = this.idOf(signal);
    const { values } = this;
    if (signal.as === "numeric") out.addNumber(id, values.number(at));
    else if (signal.as === "text-length") out.addNumber(id, values.textLength(at));
    else if (signal.as === "category") {
      const word = values.word(at);
      if (word !== undefined) out.addName(id, word);
    } else {
      const happened = this.hasHappened(signal, at);
      if (happened === undefined) out.invalid++;
      else out.addEvent(id, happened);
    }
  }

  /** Of booleans the true ones, of numbers those that are not 0, or whatever is asked for. */
  private hasHappened({ equals }: DeclaredSignal, at: number): boolean | undefined {
    if (equals !== undefined) {
      const word = this.values.word(at);
      return word === undefined ? undefined : equals.includes(word);
    }
    const type = this.values.typeOf(at);
    if (type !== VALUE_BOOL && type !== VALUE_INT && type !== VALUE_DOUBLE) return undefined;
    return this.values.word(at) !== "false" && this.values.word(at) !== "0";
  }

  private idOf(signal: DeclaredSignal): number {
    let id = this.ids.get(signal);
    if (id === undefined) {
      id = this.state.keys.idOf(ROLE.declaredSignal, signal.name);
      this.ids.set(signal, id);
    }
    return id;
  }
}

function isOf({ model }: DeclaredSignal, observed: ObservedModel): boolean {
  return model === undefined || model === observed.model;
}
