/** `tidemark compare`: one data set beside another, for people, CI and schedulers. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { DriftPolicy } from "@tidemark/stats";
import { driftPolicy } from "@tidemark/stats";
import { parseDuration } from "../config/quantities.js";
import type { ComparedSignal } from "../references/comparison.js";
import { compareSignals } from "../references/comparison.js";
import type { CurrentData } from "../references/current-data.js";
import { currentOfReference, readCurrentData } from "../references/current-data.js";
import type { ReferenceFile } from "../references/reference-file.js";
import {
  isReferenceFile,
  parseReferenceFile,
  ReferenceFileError,
  readReferenceFile,
} from "../references/reference-file.js";
import type { ColumnOptions } from "./baseline.js";
import { readShowingProgress, showingProgress, trainingPlan } from "./baseline.js";
import { compareHtml } from "./compare-html.js";
import { shortNumber } from "./reference-table.js";
import { markdownTable, textTable } from "./text-table.js";

const MINUTE_MS = 60_000;
const FETCH_MS = 60_000;
/** Of what an address answers that is no receiver. */
const SAID_MAX = 300;
/** Values, and the rows without one: both may say that a signal has drifted. */
const TESTS = 2;

/** What a comparison ends with, as schedulers understand it. */
export const EXIT = { stable: 0, drifted: 1, failed: 2, insufficient: 3 } as const;

/** The options of `compare`. */
export interface CompareOptions extends ColumnOptions {
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  readonly html?: boolean | undefined;
  /** Where it is written to; standard output when left out. */
  readonly out?: string | undefined;
  readonly shift?: string | undefined;
  readonly every?: string | undefined;
}

/** An option has a value that it cannot have. */
export class CompareOptionError extends Error {
  override readonly name = "CompareOptionError";
}

/**
 * Compares, prints, and returns the exit code.
 * @throws CompareOptionError, TrainingDataError or ReferenceFileError when it cannot be done
 */
export async function compare(
  referencePath: string,
  currentPath: string,
  options: CompareOptions,
): Promise<number> {
  const policy = policyOf(options);
  const reference = await referenceOf(referencePath, options);
  const current = await currentOf(currentPath, reference, options);
  const compared = compareSignals(reference, current, policy);
  const verdict = verdictOf(compared);
  const facts = { reference, current, currentPath, policy, compared, verdict };
  const text = written(facts, options);
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
  return EXIT[verdict];
}

function written(facts: Facts, { json, markdown, html }: CompareOptions): string {
  if (json) return `${JSON.stringify(asJson(facts), undefined, 2)}\n`;
  if (html) return compareHtml({ ...facts, headline: headline(facts) }, Date.now());
  return markdown ? asMarkdown(facts) : asText(facts);
}

type Verdict = "stable" | "drifted" | "insufficient";

interface Facts {
  readonly reference: ReferenceFile;
  readonly current: CurrentData;
  readonly currentPath: string;
  readonly policy: DriftPolicy;
  readonly compared: readonly ComparedSignal[];
  readonly verdict: Verdict;
}

function policyOf({ shift = "0.25", every = "1d" }: CompareOptions): DriftPolicy {
  const everyMs = parseDuration(every);
  if (everyMs === undefined || everyMs < MINUTE_MS) {
    throw new CompareOptionError(`--every ${every}: write a minute or more, such as 1d or 6h`);
  }
  if (!(Number(shift) >= 0.01 && Number(shift) <= 2)) {
    throw new CompareOptionError(`--shift ${shift}: write standard deviations from 0.01 to 2`);
  }
  const evaluationMinutes = everyMs / MINUTE_MS;
  return driftPolicy({
    shift: Number(shift),
    evaluationMinutes,
    windowLengths: 1,
    pagingTests: TESTS,
  });
}

async function referenceOf(path: string, options: CompareOptions): Promise<ReferenceFile> {
  const found = await readReference(path);
  if (found) return found;
  const data = await readShowingProgress(trainingPlan([path], basename(path), options));
  const source = { files: [basename(path)], rows: data.rows, columns: data.columns };
  return { file: path, model: "", version: "", runId: "", source, signals: data.signals };
}

async function currentOf(
  path: string,
  reference: ReferenceFile,
  options: CompareOptions,
): Promise<CurrentData> {
  const found = await readReference(path, reference);
  if (found) return currentOfReference(found, reference);
  const { mappings } = trainingPlan([path], "", options);
  return showingProgress([path], (onProgress) =>
    readCurrentData([path], reference, mappings, options.ignore ?? [], onProgress),
  );
}

/**
 * A reference in a file, or what a running receiver has had of the model of another one; undefined
 * where it is data.
 */
async function readReference(
  path: string,
  other?: ReferenceFile,
): Promise<ReferenceFile | undefined> {
  if (!/^https?:\/\//.test(path))
    return isReferenceFile(path) ? readReferenceFile(path) : undefined;
  const url = new URL(path);
  if (url.pathname === "/") {
    url.pathname = "/api/v1/reference";
    const { model = "", version = "" } = other ?? {};
    if (model && !url.searchParams.has("model")) url.searchParams.set("model", model);
    if (version && !url.searchParams.has("version")) url.searchParams.set("version", version);
  }
  let text: string;
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
    text = await response.text();
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    throw new ReferenceFileError(`${path}: no receiver answers (${cause?.code ?? message})`);
  }
  if (response.ok) return parseReferenceFile(path, text);
  throw new ReferenceFileError(`${path}: ${refusalIn(text) ?? `it answers ${response.status}`}`);
}

/** What a receiver says against a request; others' answers are quoted from their beginning. */
function refusalIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return error;
  } catch {
    // It is no receiver.
  }
  return text.trim().slice(0, SAID_MAX) || undefined;
}

/** What could not be compared is never called stable. */
function verdictOf(compared: readonly ComparedSignal[]): Verdict {
  const states = new Set(compared.map(({ state }) => state));
  if (states.has("drifted")) return "drifted";
  states.delete("new");
  const undecided = [...states].filter((state) => state !== "stable" && state !== "warning");
  return states.size > 0 && undecided.length === 0 ? "stable" : "insufficient";
}

function headline({ reference, current, currentPath, compared, verdict }: Facts): string {
  const names = (states: readonly string[]) =>
    new Set(compared.flatMap(({ signal, state }) => (states.includes(state) ? [signal] : []))).size;
  const all = new Set(compared.map(({ signal }) => signal)).size - names(["new"]);
  const found = {
    drifted: `${names(["drifted"])} of ${all} signals drifted`,
    insufficient: "no drift was found, but not everything could be compared",
    stable: `stable: none of ${all} signals drifted`,
  };
  return (
    `${currentPath} (${rowsOf(current.rows)}) beside ${reference.file} ` +
    `(${rowsOf(reference.source.rows)}): ${found[verdict]}`
  );
}

function table({ compared }: Facts): string[][] {
  const rows = compared.map((one) => [
    one.of === "values" ? one.signal : `${one.signal} (${one.of})`,
    one.state,
    one.method,
    knownNumber(one.statistic),
    knownNumber(one.threshold),
    knownNumber(one.ratio),
    knownNumber(one.psi),
  ]);
  return [["signal", "state", "method", "distance", "threshold", "ratio", "psi"], ...rows];
}

function rowsOf(count: number): string {
  return `${count.toLocaleString("en")} rows`;
}

function knownNumber(value: number): string {
  return Number.isFinite(value) ? shortNumber(value) : "";
}

/** What is worth a sentence. */
function sentences({ compared }: Facts): string[] {
  const told = compared.filter(({ state }) => state !== "stable" && state !== "new");
  return told.map(({ sentence }) => sentence);
}

function asText(facts: Facts): string {
  const lines = sentences(facts).map((sentence) => `${sentence}\n`);
  return `${headline(facts)}\n${textTable(table(facts))}${lines.join("")}`;
}

function asMarkdown(facts: Facts): string {
  const lines = sentences(facts).map((sentence) => `- ${sentence}\n`);
  const list = lines.length > 0 ? `\n${lines.join("")}` : "";
  return `**${headline(facts)}**\n\n${markdownTable(table(facts))}${list}`;
}

/** Numbers that do not exist are null. */
function asJson({ reference, current, currentPath, policy, compared, verdict }: Facts): object {
  const { model, version, runId, file, source } = reference;
  return {
    verdict,
    exitCode: EXIT[verdict],
    reference: { file, model, version, runId, rows: source.rows },
    current: { file: currentPath, rows: current.rows },
    shift: policy.shift,
    alpha: policy.alpha,
    signals: compared,
  };
}
