/** A process that the demo starts, waits for and ends; its output goes to a log file. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What to run: a Node program. */
export interface ProcessOptions {
  readonly name: string;
  /** Options of Node, then the program and its arguments. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to this process's environment, from which OpenTelemetry's variables are left out. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const POLL_MS = 100;
const READY_MS_MAX = 30_000;
/** Longer than the three seconds that the instrumentation takes at most for its last spans. */
const STOP_MS_MAX = 6000;
const LOG_LINES_SHOWN = 15;

/** One running process. */
export class ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private stopping = false;

  constructor({ name, args, cwd, env, logFile }: ProcessOptions) {
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, "w");
    this.child = spawn(process.execPath, [...args], {
      cwd,
      env: { ...ownEnvironment(), ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.child.once("exit", () => resolve());
      this.child.once("error", () => resolve());
    });
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.exit === undefined;
  }

  /**
   * Waits until `url` answers 200.
   * @throws Error with the end of the log when the process has ended or does not get ready
   */
  async ready(url: string): Promise<void> {
    const deadlineMs = Date.now() + READY_MS_MAX;
    while (!(await answers(url))) {
      this.assertRunning();
      if (Date.now() > deadlineMs) throw new Error(this.story(`does not answer at ${url}`));
      await sleep(POLL_MS);
    }
    this.assertRunning();
  }

  /** @throws Error with the end of the log when the process has ended by itself */
  assertRunning(): void {
    if (this.running || this.stopping) return;
    throw new Error(this.story(`has ended (${this.exit ?? "it could not be started"})`));
  }

  /** Ends it: asks first, and insists after a while. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.running) return;
    this.child.kill("SIGTERM");
    const patience = new AbortController();
    const timedOut = sleep(STOP_MS_MAX, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([this.ended, timedOut]);
    patience.abort();
    if (!this.running) return;
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** The last resort, for when this process itself is ending. */
  kill(): void {
    if (this.running) this.child.kill("SIGKILL");
  }

  private get exit(): string | undefined {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null) return `exit code ${exitCode}`;
    return signalCode ?? undefined;
  }

  private story(what: string): string {
    const lines = readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
    return [`${this.name} ${what}; ${this.logFile} ends with:`, ...lines].join("\n  ");
  }
}

/** A user's own OpenTelemetry settings and Node options would send the demo's spans elsewhere. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:OTEL_|TIDEMARK_)/.test(name) && name !== "NODE_OPTIONS",
  );
  return Object.fromEntries(kept);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
