/** `/api/v1/reference`: what a model has had of late, as a reference file that can be compared. */
import { ReferenceGrid } from "@tidemark/stats";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { Observer } from "../observe/observer.js";
import type { Reference } from "../references/reference.js";
import { referenceText } from "../references/reference-file.js";
import type { AdminAnswer } from "./admin-server.js";
import { unknownModel } from "./verdict-api.js";

const HOUR_MS = 3_600_000;
const HOURS_DEFAULT = 24;
const HOURS_MAX = 24 * 35;

/** Answers `?model=NAME[&version=V][&segment=S][&hours=24]`. */
export async function referenceApi(
  observer: Observer,
  query: URLSearchParams,
  nowMs: number,
): Promise<AdminAnswer> {
  const hours = Number(query.get("hours") ?? HOURS_DEFAULT);
  if (!(hours > 0 && hours <= HOURS_MAX)) {
    return refusal(400, `hours must be a number up to ${HOURS_MAX}`);
  }
  const name = query.get("model");
  if (name === null) return refusal(400, "say which model: ?model=NAME");
  const version = query.get("version");
  const segment = query.get("segment") ?? "";
  const all = observer.observedModels();
  const models = all.filter((model) => {
    const isVersion = version === null || model.version === version;
    return model.model === name && model.segment === segment && isVersion;
  });
  const [model] = models;
  if (model === undefined) return refusal(404, unknownPart(name, all));
  if (models.length > 1) {
    const versions = models.map((one) => one.version).join(", ");
    return refusal(400, `say which version: &version=V of ${versions}`);
  }
  const signals = await signalsOf(observer, model, nowMs - hours * HOUR_MS, nowMs);
  if (signals.size === 0) return refusal(404, "nothing of it was kept in that time yet");
  const counts = [...signals.values()].map((signal) => {
    return (signal.kind === "numeric" ? signal.grid : signal.categories).count + signal.missing;
  });
  const source = { files: [`the last ${hours} hours`], rows: Math.max(...counts) };
  const reference = { model: name, version: model.version, runId: "", signals };
  const body = referenceText(reference, { ...source, columns: new Map() });
  return { status: 200, body, contentType: "application/json" };
}

function unknownPart(name: string, all: readonly ObservedModel[]): string {
  const isKnown = all.some(({ model }) => model === name);
  return isKnown
    ? `the model "${name}" has nothing of that version or segment`
    : unknownModel(name, all);
}

async function signalsOf(
  observer: Observer,
  model: ObservedModel,
  fromMs: number,
  toMs: number,
): Promise<Map<string, Reference>> {
  const signals = new Map<string, Reference>();
  for (const signal of model.signals) {
    const found = signal && (await referenceOf(observer, signal, fromMs, toMs));
    if (found) signals.set(signal.identity.name, found);
  }
  return signals;
}

async function referenceOf(
  observer: Observer,
  signal: ObservedSignal,
  fromMs: number,
  toMs: number,
): Promise<Reference | undefined> {
  const sum = await observer.pastSum(signal, fromMs, toMs);
  if (sum === undefined || sum.count === 0) return undefined;
  const origin = { name: "live", provisional: false, missing: sum.missing };
  if ("grid" in sum) return { ...origin, kind: "numeric", grid: ReferenceGrid.fromSummary(sum) };
  return { ...origin, kind: "categorical", categories: sum };
}

function refusal(status: number, error: string): AdminAnswer {
  return { status, body: { error } };
}
