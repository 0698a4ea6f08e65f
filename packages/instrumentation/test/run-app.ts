/** Runs fixture programs in processes of their own, under each supported Node. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const at = (path: string) => fileURLToPath(new URL(path, root));

/** The Node of each supported release line, by its major version. */
export const NODES = {
  22: at("test/node_modules/node-22/bin/node"),
  24: at("node_modules/node/bin/node"),
  26: at("test/node_modules/node-26/bin/node"),
} as const;

/** What `--require` is given. */
export const REGISTER = at("packages/instrumentation/dist/register.cjs");

/** The folder of fixture programs. */
export const FIXTURES = fileURLToPath(new URL("./fixtures/", import.meta.url));

/** How a program is run; the flag that loads the instrumentation is added unless told otherwise. */
export interface AppOptions {
  readonly node?: keyof typeof NODES;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Sent once the program has written "ready". */
  readonly signal?: "SIGTERM" | "SIGINT";
  readonly input?: string;
}

/** How a program ended. */
export interface AppResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/** Variables of the test's own process that would change what a program does. */
const FOREIGN = /^(?:OTEL_|TIDEMARK_|NODE_OPTIONS|NODE_V8_COVERAGE|VITEST)/;

/** Runs a program, a file or the arguments of Node, to its end. */
export async function runApp(
  program: string | readonly string[],
  options: AppOptions = {},
): Promise<AppResult> {
  const { node = 24, flags = ["--require", REGISTER], env = {}, cwd, signal } = options;
  const binary = NODES[node];
  if (!existsSync(binary)) throw new Error(`${binary} is missing; run pnpm install`);
  const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  const startedMs = performance.now();
  const child = spawn(binary, [...flags, ...[program].flat()], {
    cwd: cwd ?? FIXTURES,
    env: { ...Object.fromEntries(inherited), ...env },
  });
  // A program may end without having read what it was given.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (signal && stdout === "ready\n") child.kill(signal);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killedBy) => {
      const elapsedMs = performance.now() - startedMs;
      resolve({ code, signal: killedBy, stdout, stderr, elapsedMs });
    });
  });
}

/** The environment that sends a program's spans to a sink, as a user would set it. */
export function toSink(url: string): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url };
}
