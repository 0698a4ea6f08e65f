/** `/api/v1/verdicts` and `/api/v1/signals`: what the receiver knows, as JSON. */
import type { Evaluator } from "../evaluate/evaluator.js";
import { verdictJson } from "../evaluate/verdict.js";
import type { ObservedModel } from "../observe/observed-model.js";
import type { Observer } from "../observe/observer.js";
import type { AdminAnswer } from "./admin-server.js";

/** Answers API requests from what the two stages hold at that moment. */
export function verdictApi(evaluator: Evaluator, observer: Observer) {
  return (name: string, query: URLSearchParams): AdminAnswer | undefined => {
    if (name !== "verdicts" && name !== "signals") return undefined;
    const wanted = query.get("model");
    const models = observer.observedModels();
    if (wanted !== null && !models.some(({ model }) => model === wanted)) {
      return { status: 404, body: { error: unknownModel(wanted, models) } };
    }
    const matches = (model: string) => wanted === null || model === wanted;
    if (name === "signals") {
      const ofModel = models.filter(({ model }) => matches(model));
      return { status: 200, body: { signals: ofModel.flatMap(signalsJson) } };
    }
    const verdicts = evaluator.verdicts().filter(({ signal }) => matches(signal.model));
    return { status: 200, body: { verdicts: verdicts.map(verdictJson) } };
  };
}

function unknownModel(model: string, models: readonly ObservedModel[]): string {
  const known = [...new Set(models.map((seen) => seen.model))].join(", ");
  const seen = known ? `seen so far: ${known}` : "none was seen so far";
  return `no span has named the model "${model}"; ${seen}`;
}

function signalsJson({ model, version, segment, signals }: ObservedModel): object[] {
  return signals.flatMap((signal): object[] => {
    if (signal === undefined) return [];
    const { identity, panes, learner, missing } = signal;
    const common = { model, version, signal: identity.name, segment, missing };
    if (panes) return [{ ...common, state: "monitored", reference: panes.reference.name }];
    const { count = 0, needed = 0, spanMs = 0, neededSpanMs = 0 } = learner ?? {};
    return [
      { ...common, state: "learning", learned: count, needed, learnedSpanMs: spanMs, neededSpanMs },
    ];
  });
}
