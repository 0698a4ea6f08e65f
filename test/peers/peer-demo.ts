/** The weather demo, left running: it trains a model, starts all that it needs, and judges itself. */
import { join } from "node:path";
import { freePortBase } from "../free-ports.ts";
import type { Program } from "./peer-programs.ts";
import { ROOT, sleep, startProgram } from "./peer-programs.ts";

const DEMO = join(ROOT, "examples", "weather", "dist", "demo.js");
/** It trains before it has anything to answer with. */
const READY_MS = 300_000;
/** It waits for the ends of windows, of up to 160 s on a slow machine. */
const RESULT_MS = 600_000;
/** What a hook needs that starts it. */
export const DEMO_MS = READY_MS + RESULT_MS + 60_000;

/** A demo that has said what came of it. */
export interface Demo<Result> extends Program {
  /** Base URL of the receiver's admin address. */
  readonly admin: string;
  /** What it prints with `--json`. */
  readonly result: Result;
}

/**
 * Starts it, and waits for what it prints.
 * @param onAdmin is told the receiver's admin address before the demo starts
 * @throws Error with its last words when it ends before that
 */
export async function startDemo<Result>(
  env: Readonly<Record<string, string>>,
  onAdmin: (admin: string) => void = () => {},
): Promise<Demo<Result>> {
  const base = await freePortBase(4);
  const admin = `http://127.0.0.1:${base + 3}`;
  onAdmin(admin);
  const demo = await startProgram({
    name: "the demo",
    command: process.execPath,
    args: [DEMO, "--json", "--keep", "--port-base", String(base)],
    env,
    readyUrl: `${admin}/readyz`,
    readyMs: READY_MS,
  });
  const deadline = Date.now() + RESULT_MS;
  for (;;) {
    const result = parsed(demo.stdout());
    if (result !== undefined) return { ...demo, admin, result: result as Result };
    const ended = demo.ended();
    if (ended !== undefined || Date.now() > deadline) {
      await demo.stop();
      const reason = ended ?? `said nothing within ${RESULT_MS / 1000} s`;
      throw new Error(`the demo ${reason}; its last words:\n${demo.output().slice(-4000)}`);
    }
    await sleep(500);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // It has not written all of it yet.
    return undefined;
  }
}
