/** `/api/v1/…`: what the receiver knows, as JSON. */
import type { Contributions } from "../evaluate/contributions.js";
import type { Evaluator } from "../evaluate/evaluator.js";
import { verdictJson } from "../evaluate/verdict.js";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { Observer } from "../observe/observer.js";
import type { PastPane } from "../observe/pane-history.js";
import type { Reference } from "../references/reference.js";
import type { AdminAnswer } from "./admin-server.js";
import { driftsJson } from "./drift-json.js";

const NAMES = new Set(["verdicts", "signals", "drifts", "changes", "history"]);
const HOUR_MS = 3_600_000;
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
const HOURS_DEFAULT = 24;
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

/** The parts of the receiver that answers come from. */
export interface Knowledge {
  readonly evaluator: Evaluator;
  readonly contributions: Contributions;
  readonly observer: Observer;
}

/** Answers API requests from what the stages hold at that moment. */
export function verdictApi({ evaluator, contributions, observer }: Knowledge, now: () => number) {
  return async (name: string, query: URLSearchParams): Promise<AdminAnswer | undefined> => {
    if (!NAMES.has(name)) return undefined;
    const wanted = query.get("model");
    const models = observer.observedModels();
    if (wanted !== null && !models.some(({ model }) => model === wanted)) {
      return { status: 404, body: { error: unknownModel(wanted, models) } };
    }
    const matches = (model: string) => wanted === null || model === wanted;
    const ofModel = models.filter(({ model }) => matches(model));
    if (name === "signals") {
      return { status: 200, body: { signals: ofModel.flatMap(signalsJson) } };
    }
    if (name === "history") return history(observer, ofModel, query, now());
    if (name === "changes") return changes(evaluator, query);
    const verdicts = evaluator.verdicts().filter(({ signal }) => matches(signal.model));
    if (name === "drifts") {
      return { status: 200, body: { drifts: driftsJson(verdicts, contributions) } };
    }
    return { status: 200, body: { verdicts: verdicts.map(verdictJson) } };
  };
}

/** How verdicts have changed, the newest first. */
function changes(evaluator: Evaluator, query: URLSearchParams): AdminAnswer {
  const limit = numberOf(query, "limit", LIMIT_DEFAULT, LIMIT_MAX);
  if (limit === undefined) return wrongNumber("limit", LIMIT_MAX);
  const wanted = ["model", "version", "signal", "segment", "window"].filter((key) =>
    query.has(key),
  );
  const found = evaluator.history.newest(
    ({ verdict }) => wanted.every((key) => verdict[key] === query.get(key)),
    limit,
  );
  const items = found.map(({ verdict, ...former }) => ({ ...former, ...verdict }));
  return { status: 200, body: { changes: items } };
}

/** What one signal had, by shortest window while these are kept, and by hour before. */
async function history(
  observer: Observer,
  models: readonly ObservedModel[],
  query: URLSearchParams,
  nowMs: number,
): Promise<AdminAnswer> {
  const hours = numberOf(query, "hours", HOURS_DEFAULT, Number.MAX_SAFE_INTEGER);
  if (hours === undefined) return wrongNumber("hours", Number.MAX_SAFE_INTEGER);
  const version = query.get("version");
  const segment = query.get("segment") ?? "";
  const signal = models
    .filter((model) => version === null || model.version === version)
    .filter((model) => model.segment === segment)
    .flatMap((model) => model.signals.filter((one) => one !== undefined))
    .find(({ identity }) => identity.name === query.get("signal"));
  if (signal === undefined || query.get("model") === null) {
    const error = "name a model and one of its signals; /api/v1/signals lists them";
    return { status: 404, body: { error } };
  }
  const panes = await observer.past(signal, nowMs - hours * HOUR_MS, nowMs);
  return { status: 200, body: { ...identityJson(signal), panes: panes.map(paneJson) } };
}

function paneJson({ startMs, endMs, summary }: PastPane): object {
  const { count, missing } = summary;
  const common = { startMs, endMs, count, missing };
  if (!("mean" in summary)) {
    return { ...common, categories: Object.fromEntries(summary.entries()), other: summary.other };
  }
  const { invalid, min, max, mean } = summary;
  const quantiles = QUANTILES.map((share) => [share, summary.quantile(share)]);
  return { ...common, invalid, min, max, mean, quantiles };
}

/** What is said of a model that nobody has named. */
export function unknownModel(model: string, models: readonly ObservedModel[]): string {
  const known = [...new Set(models.map((seen) => seen.model))].join(", ");
  const seen = known ? `seen so far: ${known}` : "none was seen so far";
  return `no span has named the model "${model}"; ${seen}`;
}

function signalsJson({ signals }: ObservedModel): object[] {
  return signals.flatMap((signal): object[] => {
    if (signal === undefined) return [];
    const { panes, learner, missing, violations = {} } = signal;
    const common = { ...identityJson(signal), missing, violations };
    if (panes) {
      const { reference } = panes;
      const schema = schemaJson(reference);
      return [{ ...common, state: "monitored", reference: reference.name, schema }];
    }
    const { count = 0, needed = 0, spanMs = 0, neededSpanMs = 0 } = learner ?? {};
    return [
      { ...common, state: "learning", learned: count, needed, learnedSpanMs: spanMs, neededSpanMs },
    ];
  });
}

function identityJson({ identity }: ObservedSignal): object {
  const { model, version, name, segment } = identity;
  return { model, version, signal: name, segment };
}

/** A positive number of the query, at most `most`; undefined when it is none. */
function numberOf(query: URLSearchParams, key: string, otherwise: number, most: number) {
  const text = query.get(key);
  if (text === null) return otherwise;
  const value = Number(text);
  return value > 0 && value <= most ? value : undefined;
}

function wrongNumber(key: string, most: number): AdminAnswer {
  return { status: 400, body: { error: `${key} must be a number above 0, at most ${most}` } };
}

/** What values of a signal are to be, by its reference; the names of categories stay inside. */
function schemaJson(reference: Reference): object {
  const { kind, missing } = reference;
  const rows = kind === "numeric" ? reference.grid.count : reference.categories.count;
  const missingRate = missing / Math.max(1, missing + rows);
  if (kind === "numeric") {
    const { min, max } = reference.grid;
    return { type: "number", min, max, missingRate };
  }
  if (reference.rate) return { type: "rate", missingRate };
  return { type: "category", categories: reference.categories.size, missingRate };
}
