#!/usr/bin/env node
// Runs the project's tasks from any Node that npm itself runs on: installs what is missing, builds
// what has changed, and runs the task under the Node version that the workspace pins.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const nodeBin = join(root, "node_modules", "node", "bin");

/** Stated here and not as "packageManager": npx then needs no lockfile entry for pnpm itself. */
const PNPM = "pnpm@12.21.0";

/** Where the packages' tarballs go; no one else looks in there. */
const PACKED = join(root, ".cache", "packages");

const PARENT_POLL_MS = 500;
const SIGNALS = ["SIGINT", "SIGTERM"];

/** Each task is a list of steps; a step is a command line, run from the root. */
const TASKS = {
  build: [],
  demo: [["node", "examples/weather/dist/demo.js"]],
  "example:chat": [["node", "examples/chat/run.mjs"]],
  "example:rag": [["node", "examples/rag/run.mjs"]],
  lint: [
    ["biome", "check", "--error-on-warnings", "."],
    ["oxlint", "--type-aware", "--deny-warnings"],
    ["tsc", "-p", "tsconfig.test.json"],
  ],
  format: [["biome", "check", "--write", "."]],
  test: [
    ["biome", "check", "--error-on-warnings", "."],
    ["oxlint", "--type-aware", "--deny-warnings"],
    ["tsc", "-p", "tsconfig.test.json"],
    ["vitest", "run"],
    ["node", "test/peers/report-left-out.ts"],
  ],
  // npm's own pack would leave "catalog:" and "workspace:" in place of versions.
  pack: [
    ["npx", "-y", PNPM, "-r", "--filter", "./packages/*", "pack", "--pack-destination", PACKED],
  ],
  "test:peers": [["vitest", "run", "--config", "test/peers/vitest.config.ts"]],
  "test:libraries": [
    ["node", "test/libraries/install.mjs"],
    ["vitest", "run", "--config", "test/libraries/vitest.config.ts"],
  ],
  dashboards: [
    ["node", "collector-config/grafana/src/write.ts"],
    ["biome", "check", "--write", "collector-config"],
  ],
  calibrate: [["node", "packages/stats/calibrate/run.ts"]],
  "otlp:conformance": [["node", "test/otlp-conformance/run.ts"]],
  "otlp:conformance:readme": [["node", "test/otlp-conformance/write-readme.ts"]],
  "fuzz:decode": [["node", "packages/receiver/test/fuzz/decode.ts"]],
  "bench:decode": [["node", "packages/receiver/bench/decode.ts"]],
  "bench:receive": [["node", "packages/receiver/bench/receive.ts"]],
  "bench:baseline": [["node", "packages/receiver/bench/baseline.ts"]],
  "bench:evaluate": [["node", "packages/receiver/bench/evaluate.ts"]],
  "bench:latency": [["node", "packages/receiver/bench/latency.ts"]],
  "soak:year": [["node", "packages/receiver/bench/soak-year.ts"]],
  "soak:receive": [["node", "packages/receiver/bench/soak.ts"]],
  "bench:collector": [["node", "packages/receiver/bench/collector.ts"]],
  "bench:page": [["node", "packages/receiver/bench/page.ts"]],
  "bench:stats": [["node", "packages/stats/bench/summaries.ts"]],
  "bench:llm-stream": [["node", "packages/instrumentation/bench/llm-stream.ts"]],
  "bench:instrumentation": [["node", "packages/instrumentation/bench/instrumentation.ts"]],
};

const [task = "build", ...rest] = process.argv.slice(2);
const steps = TASKS[task];
if (!steps) fail(`unknown task "${task}"; there are: ${Object.keys(TASKS).join(", ")}`);

await install();
await run(["tsc", "-b"]);
await run(["node", "packages/instrumentation/scripts/bundle.mjs"]);
await run(["node", "packages/receiver/assembly/build.mjs"]);
for (const step of steps) await run(step === steps.at(-1) ? [...step, ...rest] : step);

async function install() {
  const stampFile = join(root, "node_modules", ".tidemark-installed");
  const stamp = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.error(`installing dependencies with ${PNPM} …`);
  const npx = process.platform === "win32" ? "npx.cmd" : "npx";
  await run([npx, "-y", PNPM, "install", "--frozen-lockfile", "--reporter=append-only"]);
  writeFileSync(stampFile, stamp);
}

/** What an installation depends on; the same fingerprint means that there is nothing to do. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** Runs a step to its end; one that fails, or that a signal ends, ends the task with its code. */
async function run([command, ...args]) {
  const path = [nodeBin, bin, process.env.PATH];
  const child = spawn(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  const stopForwarding = forwardSignals(child);
  const [code, signal] = await new Promise((resolve) => {
    child.on("error", (error) => fail(`could not run ${command}: ${error.message}`));
    child.on("close", (...ended) => resolve(ended));
  });
  stopForwarding();
  if (code !== 0) process.exit(code ?? 128 + constants.signals[signal]);
}

/**
 * Whoever ends a task knows only this process: what it is told, the step is told, and this process
 * waits for the step's own end. Ctrl-C reaches the step from the terminal already.
 */
function forwardSignals(child) {
  const forward = (signal) => {
    if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  const watch = watchNpm(() => child.kill("SIGTERM"));
  return () => {
    clearInterval(watch);
    for (const signal of SIGNALS) process.off(signal, forward);
  };
}

/** npm tells the shell between it and this process of its end, and the shell tells nobody. */
function watchNpm(onEnd) {
  const shell = process.ppid;
  if (!process.env.npm_lifecycle_event) return undefined;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    onEnd();
  }, PARENT_POLL_MS);
  return watch;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
