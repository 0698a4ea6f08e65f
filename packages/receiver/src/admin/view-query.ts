/** What a request for a view asks for: names, a range of time, and what to compare with. */
import { parseDuration } from "../config/quantities.js";
import { tellingWindow } from "../views/model-view.js";
import type { Against, SignalQuery } from "../views/sides.js";
import type { ModelPart, ViewRange, ViewSources } from "../views/view-sources.js";
import { knownSinceMs } from "../views/view-sources.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A range that is not asked for has room for so many windows. */
const WINDOWS_MIN = 6;
/** Two years: a range beyond it is a slip of the pen. */
const RANGE_MAX_MS = 731 * DAY_MS;

/** The query cannot be answered; the message says which parameter, and what to write. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** Which part of which model. @throws QueryError without a model */
export function partOf(query: URLSearchParams, sources: ViewSources): ModelPart {
  const model = query.get("model");
  if (!model) throw new QueryError("model: name one; /api/v1/models lists them");
  const segment = query.get("segment") ?? "";
  const version = query.get("version") ?? newestVersion(model, sources);
  return { model, version, segment };
}

/** When, and by which windows. @throws QueryError */
export function rangeOf(query: URLSearchParams, sources: ViewSources, part: ModelPart): ViewRange {
  const shortest = sources.windows[0]?.name ?? "";
  const window = query.get("window") ?? tellingWindow(sources, part) ?? shortest;
  if (!sources.windows.some(({ name }) => name === window)) {
    const known = sources.windows.map(({ name }) => name).join(", ");
    throw new QueryError(`window: there is none of ${window}; there are ${known}`);
  }
  const range = query.get("range");
  const toMs = timeOf(query, "to") ?? sources.now();
  const lengthMs = range === null ? knownLength(sources, part, window) : parseDuration(range);
  if (lengthMs === undefined) throw new QueryError(`range: write for example 6h, not ${range}`);
  const fromMs = timeOf(query, "from") ?? toMs - lengthMs;
  if (!(fromMs < toMs)) throw new QueryError("from: must be before to");
  if (toMs - fromMs > RANGE_MAX_MS) throw new QueryError("from: at most 731 days before to");
  return { fromMs, toMs, window };
}

/** Which signal, and beside what. @throws QueryError */
export function signalQueryOf(query: URLSearchParams, sources: ViewSources): SignalQuery {
  const signal = query.get("signal");
  if (!signal) throw new QueryError("signal: name one; /api/v1/model lists them");
  const live = query.get("live") ?? "window";
  if (live !== "window" && live !== "range") {
    throw new QueryError(`live: write window or range, not ${live}`);
  }
  const part = partOf(query, sources);
  return { ...part, ...rangeOf(query, sources, part), signal, live, against: againstOf(query) };
}

function againstOf(query: URLSearchParams): Against {
  const text = query.get("against") ?? "reference";
  if (text === "reference") return { kind: "reference" };
  if (text.startsWith("version:")) return { kind: "version", version: text.slice(8) };
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (from !== undefined && Number(from) < Number(to)) {
    return { kind: "range", fromMs: Number(from), toMs: Number(to) };
  }
  const forms = "reference, FROM-TO in epoch milliseconds, or version:NAME";
  throw new QueryError(`against: write ${forms}, not ${text}`);
}

/** Epoch milliseconds, or a date such as 2026-11-23T09:30Z; undefined when it is left out. */
function timeOf(query: URLSearchParams, key: "from" | "to"): number | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new QueryError(`${key}: write epoch milliseconds or 2026-11-23T09:30Z, not ${text}`);
}

/** As much as is known of a model, at most a day: a new one would be lost in an empty picture. */
function knownLength(sources: ViewSources, part: ModelPart, window: string): number {
  const windowMs = sources.windows.find(({ name }) => name === window)?.ms ?? 0;
  const firstMs = knownSinceMs(sources, part);
  const knownMs = sources.now() - firstMs + 2 * windowMs;
  const least = Math.max(WINDOWS_MIN * windowMs, MINUTE_MS);
  return Math.min(DAY_MS, Math.max(least, firstMs < Infinity ? knownMs : 0));
}

/** The one that was seen last. */
function newestVersion(model: string, sources: ViewSources): string {
  return sources.models().findLast((one) => one.model === model)?.version ?? "";
}
