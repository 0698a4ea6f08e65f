/**
 * What is made of the keys beyond the `ml.*` values that become a signal each by themselves: the
 * signals that the configuration declares, the segments, and the attributes of the dialects.
 */
import type { SignalKind } from "@tidemark/semconv";
import {
  ATTRIBUTES,
  CALL_SIGNALS,
  COMPANION_CONCEPTS,
  DIALECT_ATTRIBUTES,
  SEGMENT_MIX,
} from "@tidemark/semconv";
import type { KeyTable } from "../otlp/key-table.js";
import { ROLE } from "../otlp/wanted-keys.js";

/** A signal that the configuration asks for. */
export interface DeclaredSignal {
  /** What it is called; the attribute unless said otherwise. */
  readonly name: string;
  /** What the values are, or what is measured of the span itself. */
  readonly of: { readonly attribute: string } | { readonly span: "duration" | "status" };
  readonly as: SignalKind | "text-length";
  /** With a rate: the values that count as the event. */
  readonly equals: readonly string[] | undefined;
  /** The only model that has it, which spans that name no model then belong to. */
  readonly model: string | undefined;
}

/** What the configuration says of signals and segments. */
export interface PlanOptions {
  readonly declared: readonly DeclaredSignal[];
  /** Attributes whose values are segments, beside those below `ml.segment.` and prompt versions. */
  readonly segments: readonly string[];
}

/** What a span's values are for, beside being a signal each: bits. */
export const PURPOSE = { dialect: 1, declared: 2, segment: 4, run: 8 } as const;

/** What the segments of a model's traffic by the version of its prompt are called. */
const PROMPT_VERSION = "prompt_version";

/** Predictions that the model has refused to make. */
const REJECTED: DeclaredSignal = {
  name: "prediction.rejected",
  of: { attribute: ATTRIBUTES.predictionRejected.name },
  as: "rate",
  equals: undefined,
  model: undefined,
};

/** Attributes that have to be read because the configuration names them. */
export function configuredKeys({ declared, segments }: PlanOptions): string[] {
  const attributes = declared.flatMap(({ of }) => ("attribute" in of ? [of.attribute] : []));
  return [...attributes, ...segments];
}

/** The configuration's signals and segments by the ids of keys. */
export class SignalPlan {
  /** What is to be done with every span that names a model, whatever it holds. */
  readonly always: number;
  /** Signals that are measured of the span itself. */
  readonly ofSpans: readonly DeclaredSignal[];
  private readonly keys: KeyTable;
  /** Purposes by key id; of keys that are learned later, only segments have one. */
  private readonly purposes: Uint8Array;
  private readonly ofKeys = new Map<number, DeclaredSignal[]>();
  private readonly segmentNames = new Map<number, string>();
  private readonly kinds = new Map<string, SignalKind>();
  /** The model of spans that name none, by the key that tells. */
  private readonly models = new Map<number, string>();

  constructor(keys: KeyTable, { declared, segments }: PlanOptions) {
    this.keys = keys;
    this.purposes = new Uint8Array(keys.keysMax);
    for (let id = 0; id < keys.size; id++) {
      const concept = DIALECT_ATTRIBUTES[keys.roleOf(id) - ROLE.dialect]?.concept;
      const isCompanion = concept !== undefined && COMPANION_CONCEPTS.has(concept);
      if (keys.roleOf(id) >= ROLE.dialect && !isCompanion) this.purposes[id] = PURPOSE.dialect;
      if (keys.roleOf(id) === ROLE.segment) this.purposes[id] = PURPOSE.segment;
      if (keys.roleOf(id) === ROLE.modelRunId) this.purposes[id] = PURPOSE.run;
    }
    for (const { name, as } of Object.values(CALL_SIGNALS)) this.kinds.set(name, as);
    for (const signal of [REJECTED, ...declared]) this.declare(signal);
    for (const { name, concept } of DIALECT_ATTRIBUTES) {
      if (concept === "promptVersion") this.addSegment(name, PROMPT_VERSION);
    }
    for (const name of segments) this.addSegment(name);
    this.ofSpans = declared.filter(({ of }) => "span" in of);
    // A key with a signal of its own is not looked at any further.
    const asSignal = [...this.segmentNames.keys()].some((id) => isSignal(keys.roleOf(id)));
    this.always =
      (this.ofSpans.length > 0 ? PURPOSE.declared : 0) | (asSignal ? PURPOSE.segment : 0);
  }

  /** The bits of {@link PURPOSE} that a key has. */
  purposeOf(key: number, role = this.keys.roleOf(key)): number {
    return role === ROLE.segment ? PURPOSE.segment : (this.purposes[key] as number);
  }

  /** The signals that are declared of a key. */
  declaredOf(key: number): readonly DeclaredSignal[] {
    return this.ofKeys.get(key) ?? [];
  }

  /** What the segments of a key are called; empty when it tells none. */
  segmentOf(key: number): string {
    const name = this.segmentNames.get(key);
    if (name !== undefined) return name;
    return this.keys.roleOf(key) === ROLE.segment ? this.keys.known(key).suffix : "";
  }

  /** The model that values of a key belong to when their span names none. */
  modelOf(key: number): string | undefined {
    return this.models.get(key);
  }

  /** How the values of a derived signal are summed up; undefined when the first one decides. */
  kindOf(role: number, name: string): SignalKind | undefined {
    if (role !== ROLE.callSignal && role !== ROLE.declaredSignal) return undefined;
    if (name.startsWith(SEGMENT_MIX)) return "category";
    const known = this.kinds.get(name);
    if (known !== undefined) return known;
    const family = Object.values(CALL_SIGNALS).find((signal) => name.startsWith(signal.name));
    return family?.as;
  }

  private declare(signal: DeclaredSignal): void {
    const { name, of, as, model } = signal;
    this.kinds.set(name, as === "text-length" ? "numeric" : as);
    if ("span" in of) return;
    const key = this.keys.named(of.attribute);
    if (key < 0) return;
    this.purposes[key] = (this.purposes[key] as number) | PURPOSE.declared;
    this.ofKeys.set(key, [...this.declaredOf(key), signal]);
    if (model !== undefined) this.models.set(key, model);
  }

  private addSegment(attribute: string, name = attribute.replace(ATTRIBUTES.segment.name, "")) {
    const key = this.keys.named(attribute);
    if (key < 0) return;
    this.purposes[key] = (this.purposes[key] as number) | PURPOSE.segment;
    this.segmentNames.set(key, name);
  }
}

function isSignal(role: number): boolean {
  return role >= ROLE.feature && role <= ROLE.predictionScore;
}
