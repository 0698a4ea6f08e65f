import type { SignalIdentity } from "../closed-window.js";
import type { MovingRule, SignalKey, SummaryHistory } from "./moving-reference.js";
import { concerns, counterpart, movingReference } from "./moving-reference.js";
import type { Reference } from "./reference.js";
import type { ReferenceFile } from "./reference-file.js";

/** A model at work, and the training run that it says it comes from; empty when it does not. */
export interface ModelRun {
  readonly model: string;
  readonly version: string;
  readonly runId: string;
}

/** A model whose spans name another training run than its reference does. */
export interface OtherRun extends ModelRun {
  /** The reference's file. */
  readonly reference: string;
  readonly referenceRunId: string;
}

/** All references that are configured, looked up by signal. */
export class ReferenceBook {
  private files: readonly ReferenceFile[];
  private rules: readonly MovingRule[];
  private readonly history: SummaryHistory;
  private readonly reported = new Set<string>();

  /** @param history where moving references come from */
  constructor(
    files: readonly ReferenceFile[],
    rules: readonly MovingRule[],
    history: SummaryHistory,
  ) {
    this.files = files;
    this.rules = rules;
    this.history = history;
  }

  /** Takes up another configuration; signals have to be looked up again. */
  replace(files: readonly ReferenceFile[], rules: readonly MovingRule[]): void {
    this.files = files;
    this.rules = rules;
  }

  /** What a signal is compared with from its first value on; undefined when it has to learn. */
  find(signal: SignalKey): Reference | undefined {
    const rule = this.ruleOf(signal);
    const other = rule && counterpart(rule, signal);
    // Both sides have to be counted on the same edges.
    const base = (other && this.inFiles(other)) ?? this.inFiles(signal);
    return base && this.moving(signal, base);
  }

  /**
   * What a signal is compared with that no file knows; undefined when it has to go on learning,
   * which it also has while the one that it is to be compared with is learning.
   * @param own makes the reference that it has learned; not called when that is not needed
   */
  learned(signal: SignalKey, own: () => Reference | undefined): Reference | undefined {
    const rule = this.ruleOf(signal);
    const other = rule && counterpart(rule, signal);
    const base = other ? this.history.reference(other) : own();
    return base && this.moving(signal, base);
  }

  /** A reference as the rules of its signal have it; itself where there is none. */
  moving(signal: SignalKey, base: Reference): Reference {
    const rule = this.ruleOf(signal);
    return rule ? movingReference(rule, signal, base, this.history) : base;
  }

  /** Whether a model has a reference, but none for this signal. */
  isForeign(signal: SignalIdentity): boolean {
    const { model, version, name, segment } = signal;
    if (segment !== "" || !/^(?:feature|prediction)\./.test(name)) return false;
    return this.filesOf(model, version).length > 0 && !this.inFiles(signal);
  }

  /** Signals of a model's references beyond those that it has. */
  absent(model: string, version: string, has: ReadonlySet<string>): SignalIdentity[] {
    const names = new Set(
      this.filesOf(model, version).flatMap(({ signals }) => [...signals.keys()]),
    );
    return [...names]
      .filter((name) => !has.has(name))
      .map((name) => ({ model, version, name, segment: "" }));
  }

  private filesOf(model: string, version: string): ReferenceFile[] {
    const ofModel = this.files.filter((file) => file.model === model);
    return ofModel.filter((file) => file.version === version || file.version === "");
  }

  /** References whose model is not among those seen, each returned once only. */
  unseen(models: ReadonlySet<string>): ReferenceFile[] {
    const unseen = this.files.filter(
      ({ file, model }) => !models.has(model) && !this.reported.has(file),
    );
    for (const { file } of unseen) this.reported.add(file);
    return unseen;
  }

  /** Models that another training run has made than the one that their reference is of. */
  otherRuns(models: readonly ModelRun[]): OtherRun[] {
    return models.flatMap(({ model, version, runId }): OtherRun[] => {
      const files = this.filesOf(model, version).filter((file) => file.runId !== "");
      // A file for this very version goes before one for any.
      const exact = files.filter((file) => file.version === version);
      const asked = exact.length > 0 ? exact : files;
      const [first] = asked;
      if (runId === "" || !first || asked.some((file) => file.runId === runId)) return [];
      return [{ model, version, runId, reference: first.file, referenceRunId: first.runId }];
    });
  }

  /** The same, each returned once only. */
  newRuns(models: readonly ModelRun[]): OtherRun[] {
    return this.otherRuns(models).filter(({ reference, runId }) => {
      const found = JSON.stringify([reference, runId]);
      const isNew = !this.reported.has(found);
      this.reported.add(found);
      return isNew;
    });
  }

  private ruleOf(signal: SignalKey): MovingRule | undefined {
    return this.rules.find((rule) => concerns(rule, signal));
  }

  /**
   * The file for this very version first, then one for any version. What is usual for all of the
   * traffic is not so for a slice of it: a slice learns its own.
   */
  private inFiles({ model, version, name, segment = "" }: SignalKey): Reference | undefined {
    if (segment !== "") return undefined;
    const ofModel = this.files.filter((file) => file.model === model && file.signals.has(name));
    const file =
      ofModel.find((candidate) => candidate.version === version) ??
      ofModel.find((candidate) => candidate.version === "");
    return file?.signals.get(name);
  }
}
