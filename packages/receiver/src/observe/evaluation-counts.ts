/** What is said of one model's answers: scores and labels, by prompt version and evaluation. */
import type { HistogramPoint, Labels, NumberPoint } from "../metric-family.js";

/** Scores are shares as a rule; some are marks from 1 to 5 or 10, or of a hundred. */
const BOUNDS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5, 10, 20, 50, 100];
/** Pairs of a prompt version and an evaluation of one model with a place of their own. */
const PLACES_MAX = 200;
const LABELS_MAX = 20;
const OTHER = "(other)";
/** The label of an evaluation that gives a score and no word. */
const NO_LABEL = "";

interface Place {
  readonly promptVersion: string;
  readonly name: string;
  readonly labels: Map<string, number>;
  readonly scores: Float64Array;
  sum: number;
  count: number;
}

/** One place as it is stored. */
export interface EvaluationItem {
  readonly promptVersion: string;
  readonly name: string;
  readonly labels: readonly (readonly [label: string, count: number])[];
  readonly scores: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Cumulative counts of one model. */
export class EvaluationCounts {
  private readonly places = new Map<string, Place>();

  /** Counts one evaluation: a score, a label, or both. */
  add(promptVersion: string, name: string, score: number | undefined, label = NO_LABEL): void {
    const place = this.place(promptVersion, name);
    const isKnown = place.labels.has(label) || place.labels.size < LABELS_MAX;
    const key = isKnown ? label : OTHER;
    place.labels.set(key, (place.labels.get(key) ?? 0) + 1);
    if (score === undefined) return;
    const bucket = BOUNDS.findIndex((bound) => score <= bound);
    const at = bucket < 0 ? BOUNDS.length : bucket;
    place.scores[at] = (place.scores[at] as number) + 1;
    place.sum += score;
    place.count++;
  }

  /** How often which label was given. */
  results(model: Labels): NumberPoint[] {
    return [...this.places.values()].flatMap((place) =>
      [...place.labels].map(([label, value]) => {
        return { labels: { ...model, ...labelsOf(place), evaluation_label: label }, value };
      }),
    );
  }

  /** Which scores were given. */
  *scores(model: Labels): Generator<HistogramPoint> {
    for (const place of this.places.values()) {
      const { scores: counts, sum, count } = place;
      const labels = { ...model, ...labelsOf(place) };
      if (count > 0) yield { labels, bounds: BOUNDS, counts, sum, count };
    }
  }

  /** Everything, to be stored. */
  items(): EvaluationItem[] {
    return [...this.places.values()].map((place) => {
      return { ...place, labels: [...place.labels], scores: [...place.scores] };
    });
  }

  /** Takes up what {@link items} gave. */
  restore(items: readonly EvaluationItem[]): void {
    for (const { promptVersion, name, labels, scores, sum, count } of items) {
      const place = this.place(promptVersion, name);
      for (const [label, times] of labels) place.labels.set(label, times);
      place.scores.set(scores.slice(0, place.scores.length));
      place.sum = sum;
      place.count = count;
    }
  }

  private place(promptVersion: string, name: string): Place {
    const key = JSON.stringify([promptVersion, name]);
    const known = this.places.get(key);
    if (known) return known;
    const isOther = promptVersion === OTHER && name === OTHER;
    if (this.places.size >= PLACES_MAX && !isOther) return this.place(OTHER, OTHER);
    const scores = new Float64Array(BOUNDS.length + 1);
    const place = { promptVersion, name, labels: new Map(), scores, sum: 0, count: 0 };
    this.places.set(key, place);
    return place;
  }
}

function labelsOf({ promptVersion, name }: Place): Labels {
  return { prompt_version: promptVersion, evaluation_name: name };
}
