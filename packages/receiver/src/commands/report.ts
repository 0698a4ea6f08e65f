/** `tidemark report`: what a running receiver knows of a model, as one file. */
import { writeFileSync } from "node:fs";
import type { ErrorDocument, ModelDocument, SignalDocument, SignalRow } from "#ui/documents.js";
import { modelReport } from "#ui/report.js";
import { headline } from "#ui/views/model-view.js";
import { reportStyle } from "./report-style.js";
import { markdownTable } from "./text-table.js";

const URL_DEFAULT = "http://127.0.0.1:9464";
const TIMEOUT_MS = 30_000;
/** Signals with pictures of their own: those in alarm first, and the worst of the others. */
const SIGNALS_MAX = 40;

/** The options of `report`. */
export interface ReportOptions {
  readonly model: string;
  readonly "model-version"?: string | undefined;
  readonly segment?: string | undefined;
  readonly window?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly url?: string | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
}

/** The receiver cannot be asked, or has no such model; the message says what to do. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

/**
 * Asks, and writes to a file or to standard output.
 * @param token a bearer token where the receiver asks for one
 * @throws ReportError
 */
export async function report(options: ReportOptions, token: string | undefined): Promise<void> {
  const ask = asker(options.url ?? URL_DEFAULT, token);
  const wanted = {
    model: options.model,
    version: options["model-version"],
    segment: options.segment,
    window: options.window,
    from: options.from,
    to: options.to,
  };
  const model = (await ask("model", wanted)) as ModelDocument;
  // The same moment for all: what comes meanwhile belongs to the next report.
  const { version, segment, window, fromMs, toMs } = model;
  const range = { from: String(fromMs), to: String(toMs) };
  const same = { model: model.model, version, segment, window, ...range };
  const signals: SignalDocument[] = [];
  for (const { signal } of model.signals.slice(0, SIGNALS_MAX)) {
    signals.push((await ask("signal", { ...same, signal })) as SignalDocument);
  }
  const text = written(options, model, signals);
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
}

function written(
  { json, markdown }: ReportOptions,
  model: ModelDocument,
  signals: readonly SignalDocument[],
): string {
  if (json) return `${JSON.stringify({ model, signals }, undefined, 2)}\n`;
  return markdown ? asMarkdown(model) : modelReport(model, signals, reportStyle());
}

type Ask = (name: string, query: Readonly<Record<string, string | undefined>>) => Promise<unknown>;

function asker(base: string, token: string | undefined): Ask {
  if (!URL.canParse(base)) throw new ReportError(`--url ${base}: write for example ${URL_DEFAULT}`);
  return async (name, query) => {
    const url = new URL(`${base.replace(/\/$/, "")}/api/v1/${name}`);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    let response: Response;
    try {
      response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw new ReportError(`no receiver answers at ${base}; start it, or name it with --url`);
    }
    if (response.status === 401) {
      throw new ReportError(`${base} wants a token: set TIDEMARK_TOKEN to one that it knows`);
    }
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok && body !== undefined) return body;
    const { error = `it answers ${response.status}` } = (body ?? {}) as Partial<ErrorDocument>;
    throw new ReportError(`${base}: ${error}`);
  };
}

function asMarkdown(model: ModelDocument): string {
  const name = [model.model, model.version, model.segment].filter(Boolean).join(" ");
  const range = [model.fromMs, model.toMs].map((ms) => new Date(ms).toISOString()).join(" to ");
  const rows = model.signals.map(({ signal, state, statistic, threshold, liveCount }) => {
    return [signal, state, known(statistic), known(threshold), String(liveCount)];
  });
  const heads = ["signal", "state", "distance", "threshold", "values"];
  const told = model.signals.filter(({ state }) => state === "drifted" || state === "warning");
  const list = told.map((row: SignalRow) => `- ${row.sentence}\n`).join("");
  const title = `**${name}: ${headline(model)}** (windows of ${model.window}, ${range})`;
  return `${title}\n\n${markdownTable([heads, ...rows])}${list === "" ? "" : `\n${list}`}`;
}

function known(value: number | null): string {
  return value === null ? "" : value.toFixed(3);
}
