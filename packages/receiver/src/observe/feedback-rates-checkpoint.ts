/** How rates of feedback survive a restart: an item for each cohort that has changed. */
import { parsePlain, stringifyPlain } from "../state/plain-json.js";
import type { StateChanges, StoredState } from "../state/state-store.js";
import type { CohortItem, FeedbackRates, NameItem } from "./feedback-rates.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";

const NAMES = "observe.feedback";
const COHORT = "observe.cohort";

interface NamesItem {
  /** Cohorts of another length are no use. */
  readonly withinMs: number;
  readonly models: readonly (readonly [
    model: string,
    version: string,
    names: readonly NameItem[],
  ])[];
}

/** Stores and restores the rates of one observer. */
export class FeedbackRatesCheckpoint {
  private readonly state: ObserverState;
  private readonly rates: FeedbackRates;
  private savedNames = -1;
  /** What the last save has put or deleted. */
  private saved = new Map<ObservedModel, ReadonlySet<number>>();
  /** Cohorts in the store that belong to nobody, and those that the last save has deleted. */
  private stale: string[] = [];
  private deleted: string[] = [];

  constructor(state: ObserverState, rates: FeedbackRates) {
    this.state = state;
    this.rates = rates;
  }

  /** Puts what has changed. */
  save(changes: StateChanges): void {
    const { rates } = this;
    if (this.savedNames !== rates.nameChanges) {
      const models = rates.nameItems().map(([{ model, version }, names]) => {
        return [model, version, names] as const;
      });
      const item: NamesItem = { withinMs: rates.withinMs, models };
      changes.put(NAMES, "", stringifyPlain(item));
      this.savedNames = rates.nameChanges;
    }
    this.deleted = this.stale.splice(0);
    for (const key of this.deleted) changes.delete(COHORT, key);
    this.saved = new Map(rates.changed);
    rates.changed.clear();
    for (const [model, cohorts] of this.saved) {
      for (const cohort of cohorts) {
        const key = JSON.stringify([model.model, model.version, cohort]);
        const item = rates.cohortItem(model, cohort);
        if (item === undefined) changes.delete(COHORT, key);
        else changes.put(COHORT, key, stringifyPlain(item));
      }
    }
  }

  /** After a transaction that has failed: the next one stores what this one has not. */
  forgetSaved(): void {
    this.savedNames = -1;
    this.stale = this.stale.concat(this.deleted.splice(0));
    for (const [model, cohorts] of this.saved) {
      const changed = this.rates.changed.get(model) ?? new Set();
      for (const cohort of cohorts) changed.add(cohort);
      this.rates.changed.set(model, changed);
    }
  }

  /** Takes up what an earlier run has stored; after its models. */
  async restore(stored: StoredState): Promise<void> {
    const { rates, state } = this;
    rates.resume(state.watermark.state.valueMs);
    const [item] = await stored.items(NAMES);
    if (item === undefined) return;
    const { withinMs, models } = parsePlain(String(item.body)) as NamesItem;
    const isSame = withinMs === rates.withinMs;
    for (const [name, version, names] of models) {
      const model = state.modelNamed(name, version);
      if (model) rates.restoreNames(model, names);
    }
    for (const { key, body } of await stored.items(COHORT)) {
      const [name, version] = JSON.parse(key) as [string, string];
      const model = isSame ? state.modelNamed(name, version) : undefined;
      if (model) rates.restoreCohort(model, parsePlain(String(body)) as CohortItem);
      else this.stale.push(key);
    }
  }
}
