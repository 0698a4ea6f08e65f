#!/usr/bin/env node
/** The command: conformance of an OTLP endpoint, case by case. Node runs it as it is. */
import { once } from "node:events";
import { connect } from "node:net";
import type { ParseArgsOptionsConfig } from "node:util";
import { parseArgs } from "node:util";
import { markdownTable, resultLines, summaryLine } from "./report.ts";
import { SpanSink } from "./span-sink.ts";
import type { Result, Target } from "./suite.ts";
import { CASES, runCases } from "./suite.ts";

const MIB = 1024 ** 2;
const USAGE = `Checks an OTLP receiver against the specification, over real connections.

  node run.ts --http http://host:4318 [--grpc host:4317] [options]

  --http URL         the OTLP/HTTP endpoint; /v1/traces and the like are appended
  --grpc HOST:PORT   the OTLP/gRPC endpoint; https://HOST:PORT for TLS
  --sink [HOST:]PORT listen there for what the endpoint forwards by OTLP/HTTP, and compare it with
                     what was sent (HOST is 127.0.0.1 when left out)
  --header KEY:VALUE sent with every request, such as a token; may be repeated
  --oversize MIB     the size of bodies that must be refused, in MiB (default 65); set it above your
                     endpoint's limit
  --patience SECONDS how long a span may take to the sink (default 10)
  --timeout SECONDS  how long a case may take (default 60)
  --only ID          run this case, or those whose ids start with it; may be repeated
  --json             print the results as one JSON document
  --markdown         print them as a Markdown table
  --name TEXT        the endpoint's name in that table (default "endpoint")
  --list             print all cases and run none
  --help             print this

It sends some hundred requests, among them malformed ones and a gzip that inflates to four times
--oversize: do not point it at what others depend on.

Exit code: 0 when no MUST failed, 1 when one did, 2 when the arguments are wrong or nobody listens
there. A failed SHOULD or EXPECTED is shown and does not count; MAY is either offered or absent.`;

class UsageError extends Error {}

const OPTIONS = {
  http: { type: "string" },
  grpc: { type: "string" },
  sink: { type: "string" },
  header: { type: "string", multiple: true },
  oversize: { type: "string", default: "65" },
  patience: { type: "string", default: "10" },
  timeout: { type: "string", default: "60" },
  only: { type: "string", multiple: true },
  json: { type: "boolean", default: false },
  markdown: { type: "boolean", default: false },
  name: { type: "string", default: "endpoint" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

/** Runs the command with these arguments and resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parse(args);
    if (options.help) console.log(USAGE);
    else if (options.list) {
      for (const { id, level, title } of CASES) {
        console.log(`${level.padEnd(9)}${id.padEnd(31)}${title}`);
      }
    } else return await check(options);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nnode run.ts --help tells more`);
    return 2;
  }
}

type Options = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

async function check(options: Options): Promise<number> {
  const { only = [""] } = options;
  const cases = CASES.filter(({ id }) => only.some((prefix) => id.startsWith(prefix)));
  if (cases.length === 0) throw new UsageError(`there is no case ${only.join(", ")}`);
  const target = targetOf(options);
  for (const url of [target.http, target.grpc]) if (url) await reach(url);
  const sink = await startSink(options);
  const results: Result[] = [];
  try {
    for await (const result of runCases(cases, sink ? { ...target, sink } : target)) {
      results.push(result);
      if (!options.json && !options.markdown) console.log(resultLines(result));
    }
  } finally {
    await sink?.close();
  }
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else if (options.markdown) console.log(markdownTable([{ name: options.name, results }]));
  else console.log(`\n${summaryLine(results)}`);
  const broken = results.some(({ outcome, level }) => outcome === "fail" && level === "MUST");
  return broken ? 1 : 0;
}

function targetOf(options: Options): Target {
  if (options.http === undefined && options.grpc === undefined) {
    throw new UsageError("--http or --grpc is needed");
  }
  if (options.sink !== undefined && options.http === undefined) {
    throw new UsageError("--sink needs --http");
  }
  return {
    ...(options.http === undefined ? {} : { http: urlOf("--http", options.http) }),
    ...(options.grpc === undefined ? {} : { grpc: urlOf("--grpc", options.grpc) }),
    headers: Object.fromEntries((options.header ?? []).map(headerOf)),
    oversizeBytes: numberOf("--oversize", options.oversize) * MIB,
    timeoutMs: numberOf("--timeout", options.timeout) * 1000,
  };
}

function urlOf(option: string, text: string): URL {
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new UsageError(`${option}: "${text}" is no http or https address`);
  }
  return url;
}

function headerOf(text: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(text);
  if (match === null) throw new UsageError(`--header: "${text}" is not KEY:VALUE`);
  return [(match[1] ?? "").toLowerCase(), match[2] ?? ""];
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) {
    throw new UsageError(`${option}: "${text}" is no number above 0`);
  }
  return number;
}

/** Nothing can be said of an endpoint that does not listen. */
async function reach({ hostname, port, protocol }: URL): Promise<void> {
  const fallback = protocol === "https:" ? 443 : 80;
  const host = hostname.replaceAll(/[[\]]/g, "");
  const socket = connect({ host, port: Number(port || fallback) });
  try {
    await once(socket, "connect");
  } catch (error) {
    throw new UsageError(`cannot connect to ${hostname}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

async function startSink({ sink: address, patience }: Options): Promise<SpanSink | undefined> {
  if (address === undefined) return undefined;
  const match = /^(?:\[?(.+?)\]?:)?(\d{1,5})$/.exec(address);
  if (match === null) throw new UsageError(`--sink: "${address}" is not [HOST:]PORT`);
  const sink = new SpanSink(numberOf("--patience", patience) * 1000);
  try {
    await sink.listen(match[1] ?? "127.0.0.1", Number(match[2]));
  } catch (error) {
    throw new UsageError(`--sink: ${(error as Error).message}`, { cause: error });
  }
  return sink;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
