/**
 * The real programs that `install.sh` has put into the cache: where they are, running one to its
 * end, and keeping one running for a test. Nothing here is skipped when a program is missing: a peer
 * test that cannot run has failed.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What `install.sh --where` lists. */
export type PeerName =
  | "alertmanager"
  | "amtool"
  | "chromium"
  | "collector"
  | "compose-check"
  | "datasketches"
  | "debian-prometheus"
  | "debian-promtool"
  | "evidently"
  | "jaeger"
  | "kubernetes-check"
  | "prometheus"
  | "promtool"
  | "python-sdk";

/** The repository's root, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const INSTALLER = fileURLToPath(new URL("install.sh", import.meta.url));
/** A cold start of Jaeger takes 2 s alone, and several times that on a loaded machine. */
const READY_MS = 60_000;
const READY_POLL_MS = 50;
/** After SIGTERM; every one of these programs needs less than 2 s. */
const STOP_MS = 15_000;
/** What is kept of a program's output: enough for the reason of a failure. */
const OUTPUT_CHARS_MAX = 200_000;

let paths: ReadonlyMap<string, string> | undefined;

/** @throws Error when the program has not been installed; the message says how to. */
export function peerPath(name: PeerName): string {
  const path = (paths ??= installedPaths()).get(name);
  if (path === undefined || !existsSync(path)) {
    throw new Error(`${name} is not installed; run test/peers/install.sh, then this test again`);
  }
  return path;
}

function installedPaths(): ReadonlyMap<string, string> {
  const listed = execFileSync("bash", [INSTALLER, "--where"], { encoding: "utf8" });
  const pairs = listed.trim().split("\n");
  return new Map(pairs.map((line) => line.split(/ (.*)/s) as [string, string]));
}

export interface Finished {
  readonly exitCode: number;
  /** Standard output and standard error, in the order of their arrival. */
  readonly output: string;
}

/** Runs a program to its end, from the repository's root. */
export function runPeer(name: PeerName, args: readonly string[], env = {}): Promise<Finished> {
  const options = { cwd: ROOT, env: plainEnv(env), maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    const child = execFile(peerPath(name), args, options, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? -1, output: stdout + stderr });
    });
  });
}

export interface ProgramSpec {
  /** What messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The folder to run in; the repository's root when left out. */
  readonly cwd?: string;
  /** Answers 200 once the program can be used. */
  readonly readyUrl: string;
  /** How long that may take; a minute when left out. */
  readonly readyMs?: number;
}

export interface Program {
  /** Standard output and standard error, in the order of their arrival; the end of it, if long. */
  output(): string;
  /** Standard output alone. */
  stdout(): string;
  /** How it has ended; undefined while it runs. */
  ended(): string | undefined;
  /** Asks it to end, and waits until it has. Stopping twice is harmless. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/**
 * Starts a program and waits until it can be used.
 * @throws Error with the end of its output when it ends or stays unready.
 */
export async function startProgram(spec: ProgramSpec): Promise<Program> {
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd ?? ROOT,
    env: plainEnv(spec.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let stdout = "";
  let ended: string | undefined;
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.on("data", keep);
  child.stdout.on("data", (chunk: Buffer) => {
    stdout = (stdout + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  });
  child.stderr.on("data", keep);
  const end = new Promise<void>((resolve) => {
    child.once("error", (error) => resolve(void (ended = error.message)));
    child.once("exit", (code, signal) => resolve(void (ended = `ended with ${signal ?? code}`)));
  });
  const signalAndWait = async (signal: "SIGTERM" | "SIGKILL") => {
    if (ended === undefined) child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await end;
    clearTimeout(timer);
    process.off("exit", endWithTests);
  };
  // A test run that is interrupted leaves nothing behind.
  const endWithTests = () => child.kill("SIGKILL");
  process.once("exit", endWithTests);

  const { readyMs = READY_MS } = spec;
  const deadline = Date.now() + readyMs;
  while (!(await answers(spec.readyUrl))) {
    if (ended === undefined && Date.now() < deadline) await sleep(READY_POLL_MS);
    else {
      const reason = ended ?? `was not ready at ${spec.readyUrl} within ${readyMs / 1000} s`;
      await signalAndWait("SIGKILL");
      throw new Error(`${spec.name} ${reason}; its last words:\n${output.slice(-4000)}`);
    }
  }
  return {
    output: () => output,
    stdout: () => stdout,
    ended: () => ended,
    stop: () => signalAndWait("SIGTERM"),
    kill: () => signalAndWait("SIGKILL"),
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** The developer's own OTEL_* and NODE_OPTIONS must not configure a program under test. */
function plainEnv(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = ["HOME", "PATH", "TMPDIR", "LANG"];
  const kept = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...extra };
}
