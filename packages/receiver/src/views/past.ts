/** The past of signals: what they had, and how their verdicts changed. */
import type { SignalIdentity } from "../closed-window.js";
import type { Evaluator } from "../evaluate/evaluator.js";
import type { Observer } from "../observe/observer.js";
import type { PastPane } from "../observe/pane-history.js";
import type { ModelPart } from "./view-sources.js";
import { isPart, signalsOf } from "./view-sources.js";

/** A verdict's state that began at `atMs`. */
export interface PastState {
  readonly window: string;
  readonly atMs: number;
  readonly before: string;
  /** When `before` began; undefined where that is not known. */
  readonly beforeSinceMs: number | undefined;
  readonly state: string;
  readonly sentence: string;
}

/** Reads the past. */
export interface Past {
  /** The stretches of a signal in [fromMs, toMs) that had rows, oldest first. */
  panes(signal: SignalIdentity, fromMs: number, toMs: number): Promise<readonly PastPane[]>;
  /** How the states of a model's signals have changed as far as is kept, oldest first. */
  changes(part: ModelPart): ReadonlyMap<string, PastState[]>;
}

/** The past as the stages keep it. */
export function pastOf(observer: Observer, evaluator: Evaluator): Past {
  return {
    panes: async (identity, fromMs, toMs) => {
      const model = observer.observedModels().find((one) => isPart(one, identity));
      const signal = model && signalsOf(model).find((one) => one.identity.name === identity.name);
      return signal ? observer.past(signal, fromMs, toMs) : [];
    },
    changes: ({ model, version, segment }) => {
      const found = new Map<string, PastState[]>();
      const isOfPart = ({ verdict }: { verdict: Readonly<Record<string, unknown>> }) =>
        verdict["model"] === model &&
        verdict["version"] === version &&
        verdict["segment"] === segment;
      const newest = evaluator.history.newest(isOfPart, Number.MAX_SAFE_INTEGER);
      for (const { before, beforeSinceMs, verdict } of newest.toReversed()) {
        const name = String(verdict["signal"]);
        const states = found.get(name) ?? [];
        found.set(name, states);
        states.push({
          window: String(verdict["window"]),
          atMs: Number(verdict["sinceMs"]),
          before,
          beforeSinceMs: beforeSinceMs || undefined,
          state: String(verdict["state"]),
          sentence: String(verdict["sentence"]),
        });
      }
      return found;
    },
  };
}
