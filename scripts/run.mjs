#!/usr/bin/env node
// Runs the project's tasks from any Node that npm itself runs on: installs what is missing, builds
// what has changed, and runs the task under the Node version that the workspace pins.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const nodeBin = join(root, "node_modules", "node", "bin");

/** Stated here and not as "packageManager": npx then needs no lockfile entry for pnpm itself. */
const PNPM = "pnpm@12.21.0";

/** Each task is a list of steps; a step is a command line, run from the root. */
const TASKS = {
  build: [],
  demo: [["node", "examples/weather/dist/demo.js"]],
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
  "test:peers": [["vitest", "run", "--config", "test/peers/vitest.config.ts"]],
  "bench:decode": [["node", "packages/receiver/bench/decode.ts"]],
};

const [task = "build", ...rest] = process.argv.slice(2);
const steps = TASKS[task];
if (!steps) fail(`unknown task "${task}"; there are: ${Object.keys(TASKS).join(", ")}`);

install();
run(["tsc", "-b"]);
for (const step of steps) run(step === steps.at(-1) ? [...step, ...rest] : step);

function install() {
  const stampFile = join(root, "node_modules", ".tidemark-installed");
  const stamp = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.error(`installing dependencies with ${PNPM} …`);
  const npx = process.platform === "win32" ? "npx.cmd" : "npx";
  run([npx, "-y", PNPM, "install", "--frozen-lockfile", "--reporter=append-only"]);
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

function run([command, ...args]) {
  const path = [nodeBin, bin, process.env.PATH];
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  if (result.error) fail(`could not run ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
