/**
 * How many answers get feedback that only ever happens: copied, edited, a thumb that only goes up.
 * Its values are all alike, so what can drift is the share of answers that get it.
 *
 * Feedback comes minutes to hours after its answer. So a call waits, with those of the same minute,
 * until `withinMs` after it, and then is one trial, at that time: it has got the feedback or it has
 * not. Each answer thus counts once, however long the way of its feedback, whatever the traffic
 * does meanwhile, and also when no feedback comes any more. Later feedback is not of the rate.
 *
 * Calls that the memory of calls has forgotten before their time was over are no trials: their
 * feedback would have found nobody, and more traffic would look like less feedback.
 *
 * A name has a rate from the minute after its first {@link ALIKE_MIN} values on a model's answers,
 * if they were all alike, and keeps it.
 */
import type { CallGroup } from "./call-groups.js";
import type { CallPlace } from "./call-memory.js";
import type { Judgement } from "./evaluations.js";
import type { ObservedModel } from "./observed-model.js";

const MINUTE_MS = 60_000;
/** Values of a name that must be alike: a pair of thumbs that is used as one never has a rate. */
const ALIKE_MIN = 50;
/** Names of one model that are looked at, and those that get a rate. */
const NAMES_MAX = 100;
const RATES_MAX = 8;
/** Cohorts of one model that wait at once, but for those that come late. */
const COHORTS = 60;

/** What has been said of a model's answers under one name. */
export interface NameItem {
  readonly name: string;
  /** The value that all had so far; undefined when they were not alike. */
  value?: string | undefined;
  count: number;
  /** Calls from then on count, in ms since the epoch; undefined while there is no rate. */
  sinceMs?: number | undefined;
}

/** Calls of the same minutes, by segment; the whole of the model has no name. */
export interface CohortItem {
  readonly cohort: number;
  readonly calls: readonly (readonly [segment: string, count: number])[];
  readonly given: readonly (readonly [
    name: string,
    calls: readonly number[],
    counts: readonly (readonly [segment: string, count: number])[],
  ])[];
}

type Counts = Map<string, number>;
type Members = Pick<CallGroup, "model" | "segments">;

interface Given {
  /** Ids of the calls that have got it: who copies an answer twice has copied one answer. */
  readonly calls: Set<number>;
  readonly counts: Counts;
}

interface Cohort {
  readonly calls: Counts;
  readonly given: Map<string, Given>;
}

interface RatedModel {
  readonly names: Map<string, NameItem>;
  readonly cohorts: Map<number, Cohort>;
  rates: number;
}

/** Trials that have ended: of a model, or of one of its segments. */
export interface FeedbackTrials {
  readonly model: ObservedModel;
  readonly segment: string;
  readonly name: string;
  readonly happened: number;
  readonly not: number;
  /** When they ended, in milliseconds since the epoch. */
  readonly timeMs: number;
}

/** Owned by the counter of judgements; stored by `feedback-rates-checkpoint.ts`. */
export class FeedbackRates {
  readonly models = new Map<ObservedModel, RatedModel>();
  /** Cohorts that have changed since they were stored, and those that are no more. */
  readonly changed = new Map<ObservedModel, Set<number>>();
  /** Grows with every change of what is known of names. */
  nameChanges = 0;
  readonly withinMs: number;
  private readonly cohortMs: number;
  /** When the first of all cohorts ends, and up to when they have ended. */
  private nextMs = Number.POSITIVE_INFINITY;
  private endedMs = Number.NEGATIVE_INFINITY;
  /** Cohorts of up to this one have calls that are forgotten: they count for nothing. */
  private forgottenCohort = Number.NEGATIVE_INFINITY;

  /** @param withinMs how long after a call its feedback counts; 0 for no rates */
  constructor(withinMs: number) {
    this.withinMs = withinMs;
    this.cohortMs = Math.max(1, Math.ceil(withinMs / COHORTS / MINUTE_MS)) * MINUTE_MS;
  }

  /** A call has been answered. */
  addCall(group: Members, { minute }: CallPlace): void {
    const cohort = this.cohortOfCall(group.model, minute);
    if (cohort === undefined) return;
    count(cohort.calls, "");
    for (const { segment } of group.segments) count(cohort.calls, segment);
  }

  /** It has become known that a call belongs to these segments too. */
  addSegments({ model, segments }: Members, { minute, id }: CallPlace): void {
    const cohort = segments.length > 0 ? this.cohortOfCall(model, minute) : undefined;
    if (cohort === undefined) return;
    const given = [...cohort.given.values()].filter(({ calls }) => calls.has(id));
    for (const { segment } of segments) {
      count(cohort.calls, segment);
      for (const { counts } of given) count(counts, segment);
    }
  }

  /** Feedback on a known call, which came at `nowMs`. */
  addFeedback(
    { model, segments }: CallGroup,
    { name, score, label }: Judgement,
    { minute, id }: CallPlace,
    nowMs: number,
  ): void {
    if (this.withinMs === 0) return;
    const rated = this.ratedModel(model);
    const known = rated.names.get(name) ?? this.newName(rated, name);
    if (known === undefined) return;
    if (known.sinceMs === undefined) {
      this.compare(rated, known, label ?? String(score), nowMs);
      return;
    }
    const number = this.cohortAt(minute);
    if (number <= this.forgottenCohort || number * this.cohortMs < known.sinceMs) return;
    const cohort = this.cohortOf(model, rated, minute);
    if (cohort === undefined) return;
    const given = cohort.given.get(name) ?? { calls: new Set(), counts: new Map() };
    cohort.given.set(name, given);
    if (given.calls.has(id)) return;
    given.calls.add(id);
    count(given.counts, "");
    for (const { segment } of segments) count(given.counts, segment);
  }

  /**
   * Ends the trials whose time is over at a watermark.
   * @param forgottenMinute calls of up to then may be forgotten
   * @returns how many calls were forgotten before their time was over
   */
  end(
    watermarkMs: number,
    forgottenMinute: number,
    tell: (trials: FeedbackTrials) => void,
  ): number {
    this.endedMs = Math.max(this.endedMs, watermarkMs);
    this.forgetUpTo(this.cohortAt(forgottenMinute));
    if (watermarkMs < this.nextMs) return 0;
    this.nextMs = Number.POSITIVE_INFINITY;
    let forgotten = 0;
    for (const [model, { names, cohorts }] of this.models) {
      for (const [number, cohort] of cohorts) {
        const timeMs = this.endOf(number);
        if (timeMs > watermarkMs) {
          this.nextMs = Math.min(this.nextMs, timeMs);
          continue;
        }
        cohorts.delete(number);
        this.noteChange(model, number);
        if (number <= this.forgottenCohort) {
          forgotten += cohort.calls.get("") ?? 0;
          continue;
        }
        for (const { name, sinceMs = Number.POSITIVE_INFINITY } of names.values()) {
          if (number * this.cohortMs < sinceMs) continue;
          for (const [segment, calls] of cohort.calls) {
            // A call that failed is no answer, and may have got feedback all the same.
            const happened = Math.min(calls, cohort.given.get(name)?.counts.get(segment) ?? 0);
            tell({ model, segment, name, happened, not: calls - happened, timeMs });
          }
        }
      }
    }
    return forgotten;
  }

  /** What is known of a model's names, to be stored. */
  nameItems(): (readonly [ObservedModel, readonly NameItem[]])[] {
    return [...this.models].map(([model, { names }]) => [model, [...names.values()]]);
  }

  /** A cohort, to be stored; undefined when it is no more. */
  cohortItem(model: ObservedModel, cohort: number): CohortItem | undefined {
    const found = this.models.get(model)?.cohorts.get(cohort);
    if (found === undefined) return undefined;
    const given = [...found.given].map(([name, { calls, counts }]) => {
      return [name, [...calls], [...counts]] as const;
    });
    return { cohort, calls: [...found.calls], given };
  }

  /** Takes up at the watermark of an earlier run. */
  resume(watermarkMs: number): void {
    this.endedMs = Math.max(this.endedMs, watermarkMs);
  }

  /** Takes up what {@link nameItems} gave. */
  restoreNames(model: ObservedModel, items: readonly NameItem[]): void {
    const rated = this.ratedModel(model);
    for (const item of items) rated.names.set(item.name, { ...item });
    rated.rates = items.filter(({ sinceMs }) => sinceMs !== undefined).length;
  }

  /** Takes up what {@link cohortItem} gave. */
  restoreCohort(model: ObservedModel, { cohort, calls, given }: CohortItem): void {
    const found = given.map(([name, ids, counts]) => {
      return [name, { calls: new Set(ids), counts: new Map(counts) }] as const;
    });
    this.ratedModel(model).cohorts.set(cohort, { calls: new Map(calls), given: new Map(found) });
    this.nextMs = Math.min(this.nextMs, this.endOf(cohort));
  }

  private ratedModel(model: ObservedModel): RatedModel {
    const known = this.models.get(model);
    if (known !== undefined) return known;
    const rated = { names: new Map(), cohorts: new Map(), rates: 0 };
    this.models.set(model, rated);
    return rated;
  }

  private newName({ names }: RatedModel, name: string): NameItem | undefined {
    if (names.size >= NAMES_MAX) return undefined;
    const known: NameItem = { name, count: 0 };
    names.set(name, known);
    return known;
  }

  private compare(rated: RatedModel, known: NameItem, value: string, nowMs: number): void {
    if (known.count >= ALIKE_MIN) return;
    this.nameChanges++;
    if (known.count === 0) known.value = value;
    if (known.value !== value) known.value = undefined;
    known.count++;
    const isAlike = known.count === ALIKE_MIN && known.value !== undefined;
    if (!isAlike || rated.rates >= RATES_MAX) return;
    rated.rates++;
    known.sinceMs = (Math.floor(nowMs / this.cohortMs) + 1) * this.cohortMs;
  }

  /** Lets go of what forgotten calls have got: no more ids are held than calls are known. */
  private forgetUpTo(cohort: number): void {
    if (cohort <= this.forgottenCohort) return;
    this.forgottenCohort = cohort;
    for (const [model, { cohorts }] of this.models) {
      for (const [number, { given }] of cohorts) {
        if (number > cohort || given.size === 0) continue;
        given.clear();
        this.noteChange(model, number);
      }
    }
  }

  /** The cohort of a call; undefined as well when nothing of its model has a rate. */
  private cohortOfCall(model: ObservedModel, minute: number): Cohort | undefined {
    const rated = this.withinMs === 0 ? undefined : this.models.get(model);
    return rated && rated.rates > 0 ? this.cohortOf(model, rated, minute) : undefined;
  }

  /** The cohort that takes calls of a minute; undefined when its time is over. */
  private cohortOf(model: ObservedModel, rated: RatedModel, minute: number): Cohort | undefined {
    const number = this.cohortAt(minute);
    const endMs = this.endOf(number);
    if (endMs <= this.endedMs) return undefined;
    this.noteChange(model, number);
    const known = rated.cohorts.get(number);
    if (known !== undefined) return known;
    const cohort = { calls: new Map(), given: new Map() };
    rated.cohorts.set(number, cohort);
    this.nextMs = Math.min(this.nextMs, endMs);
    return cohort;
  }

  private noteChange(model: ObservedModel, cohort: number): void {
    const changed = this.changed.get(model) ?? new Set();
    this.changed.set(model, changed.add(cohort));
  }

  private cohortAt(minute: number): number {
    return Math.floor((minute * MINUTE_MS) / this.cohortMs);
  }

  /** When nobody waits for its feedback any longer. */
  private endOf(cohort: number): number {
    return (cohort + 1) * this.cohortMs + this.withinMs;
  }
}

function count(counts: Counts, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
