/** `tidemark status`: how a running receiver is. */
import type { ReceiverStatus } from "../admin/status-api.js";
import { loadConfig } from "../config/load-config.js";
import { textTable } from "./text-table.js";

const URL_DEFAULT = "http://127.0.0.1:9464";
const TIMEOUT_MS = 10_000;
/** Of the alarms; the API lists more. */
const ALARMS_SHOWN = 20;

/** What the command ends with. */
export const STATUS_EXIT = { fine: 0, drifted: 1, failed: 2, degraded: 3 } as const;

/** Where the receiver is. */
export interface StatusOptions {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The receiver does not answer, or is none. */
export class StatusError extends Error {
  override readonly name = "StatusError";
}

/**
 * Asks the receiver, prints, and returns the exit code.
 * @throws StatusError when there is no answer, ConfigError when the configuration is no use
 */
export async function status(options: StatusOptions): Promise<number> {
  const base = baseUrl(options);
  const found = await ask(base);
  const problems = problemsOf(found);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ...found, problems }, undefined, 2)}\n`);
  else process.stdout.write(asText(base, found, problems));
  if (found.alarmCount > 0) return STATUS_EXIT.drifted;
  return problems.length > 0 ? STATUS_EXIT.degraded : STATUS_EXIT.fine;
}

function baseUrl({ url, config }: StatusOptions): string {
  if (url !== undefined) return url.replace(/\/$/, "");
  if (config === undefined) return URL_DEFAULT;
  const { host, port } = loadConfig(config, process.env).exporters.prometheus.endpoint;
  // An address that means every interface is no address to ask.
  const asked = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${asked.includes(":") ? `[${asked}]` : asked}:${port}`;
}

async function ask(base: string): Promise<ReceiverStatus> {
  const where = `${base}/api/v1/status`;
  let response: Response;
  try {
    response = await fetch(where, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    const why = cause?.code ?? cause?.message ?? message;
    throw new StatusError(
      `no receiver answers at ${base} (${why}); is it running? ` +
        "Say where with --url, or with --config and its file",
    );
  }
  const body = (await response.json().catch(() => undefined)) as ReceiverStatus | undefined;
  if (response.ok && body?.config && body.models) return body;
  throw new StatusError(`${where} answers ${response.status}, and not as a receiver does`);
}

/** What somebody should look at, other than drift. */
function problemsOf({ ready, config, log, otherRuns }: ReceiverStatus): string[] {
  const problems: string[] = [];
  if (!ready) problems.push("it is starting, or shutting down");
  if (config.error !== undefined) {
    problems.push(`the changed configuration cannot be used: ${config.error}`);
  }
  if (config.restartFor.length > 0) {
    problems.push(`changes of these keys need a restart: ${config.restartFor.join(", ")}`);
  }
  if (log.failures > 0) problems.push(`${log.failures} batches were refused: the log was full`);
  if (log.damages > 0) problems.push(`the log was damaged in ${log.damages} places`);
  for (const { model, version, runId, reference, referenceRunId } of otherRuns) {
    const named = version ? `${model} ${version}` : model;
    problems.push(
      `${named} comes from training run ${runId}, its reference ${reference} ` +
        `from ${referenceRunId}: build the reference of that run`,
    );
  }
  return problems;
}

function asText(base: string, found: ReceiverStatus, problems: readonly string[]): string {
  const { version, startedMs, nowMs, config, listening, models, log, endpoints } = found;
  const lines = [
    `Tidemark ${version} at ${base}, up for ${spanOf(nowMs - startedMs)}, ` +
      `configured by ${config.file || "its defaults"} ${spanOf(nowMs - config.loadedMs)} ago`,
    ...Object.entries(listening).map(([name, url]) => `${name.padEnd(6)} ${url}`),
    ...problems.map((problem) => `problem: ${problem}`),
  ];
  const modelRows = models.map((one) => [
    one.version ? `${one.model} ${one.version}` : one.model,
    ...[one.requests, one.errors, one.monitored, one.learning, one.segments].map(whole),
  ]);
  const header = ["model", "requests", "errors", "monitored", "learning", "segments"];
  const consumers = Object.entries(log.lag).map(([consumer, batches]) => {
    const outcomes = Object.entries(endpoints[consumer] ?? {});
    const done = outcomes.map(([outcome, count]) => `${whole(count)} ${outcome}`).join(", ");
    return [consumer, whole(batches), done];
  });
  const windows = Object.entries(found.verdicts).map(([window, counts]) => {
    const states = Object.entries(counts).map(([state, count]) => `${whole(count)} ${state}`);
    return [window, states.join(", ")];
  });
  const alarms = found.alarms.slice(0, ALARMS_SHOWN).map((alarm) => {
    const { model, segment, window, sinceMs, sentence } = alarm;
    const of = segment ? `${model} (${segment})` : model;
    return `drifted for ${spanOf(nowMs - sinceMs)} in ${window}, ${of}: ${sentence}`;
  });
  const more = found.alarmCount - alarms.length;
  return [
    ...lines.map((line) => `${line}\n`),
    modelRows.length > 0 ? `\n${textTable([header, ...modelRows])}` : "\nno model was seen yet\n",
    windows.length > 0 ? `\n${textTable([["window", "signals"], ...windows])}` : "",
    `\n${textTable([["log", "batches behind", `of ${roundSize(log.bytes)}`], ...consumers])}`,
    alarms.length > 0 ? `\n${alarms.join("\n")}\n` : "",
    more > 0 ? `and ${more} more\n` : "",
  ].join("");
}

/** Three digits are enough for people, such as `2.31 MiB`. */
function roundSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const unit = ["B", "KiB", "MiB", "GiB"][power] as string;
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${unit}`;
}

function whole(count: number): string {
  return count.toLocaleString("en");
}

/** A duration to two units, such as `3 h 12 min`. */
function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
