// What the examples on language models share: they install their own libraries, start processes,
// wait for them and end them.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const REGISTER = join(root, "packages/instrumentation/dist/register.cjs");
const TIDEMARK = join(root, "packages/receiver/dist/cli.js");
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 6000;

/** Installs what a folder's lockfile names, unless that has been done. */
export async function install(folder) {
  const lockfile = readFileSync(join(folder, "package-lock.json"));
  const stamp = createHash("sha256").update(lockfile).digest("hex");
  const stampFile = join(folder, "node_modules/.tidemark-installed");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.log("installing the example's libraries …");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const child = spawn(npm, flags, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`npm ci in ${folder} ended with ${code}`);
  writeFileSync(stampFile, stamp);
}

/** Ports that nobody listens on. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((done) => server.on("listening", done))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Processes that end together; logs go into `folder`. */
export class Processes {
  running = [];

  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const kill = () => {
      for (const { child } of this.running) child.kill("SIGKILL");
    };
    process.once("exit", kill);
    // The encoder's library throws anew what nobody has caught, and then there is no "exit".
    process.once("uncaughtExceptionMonitor", kill);
  }

  /** Starts a program of the example under the instrumentation's flag. */
  service(name, program, { endpoint, env }) {
    return this.start(name, ["--require", REGISTER, program], dirname(program), {
      OTEL_SERVICE_NAME: name,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      ...env,
    });
  }

  /** Starts the receiver with a configuration file. */
  receiver(config, env) {
    return this.start("receiver", [TIDEMARK, "receive", "--config", config], this.folder, env);
  }

  start(name, args, cwd, env) {
    const logFile = join(this.folder, `${name}.log`);
    const log = openSync(logFile, "w");
    const inherited = Object.entries(process.env).filter(
      ([key]) => !/^(?:OTEL_|TIDEMARK_|NODE_OPTIONS|VITEST)/.test(key),
    );
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const started = { name, child, logFile };
    this.running.push(started);
    return started;
  }

  /** Waits until a process answers at a URL. */
  async ready({ name, child, logFile }, url) {
    const deadline = Date.now() + READY_MS_MAX;
    while (
      !(await fetch(url).then(
        (response) => response.ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || Date.now() > deadline) {
        const end = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n  ");
        throw new Error(`${name} does not answer at ${url}; ${logFile} ends with:\n  ${end}`);
      }
      await sleep(100);
    }
  }

  /** Ends one; an instrumented service sends its last spans first. */
  async stop({ child }) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    if ((await Promise.race([ended, sleep(STOP_MS_MAX, "late")])) === "late") {
      child.kill("SIGKILL");
      await ended;
    }
  }
}

/** With `--keep`, says where the receiver's page is, and leaves it running until Ctrl-C. */
export async function keepRunning(url) {
  if (!process.argv.includes("--keep")) return;
  console.log(`Still running, until Ctrl-C: ${url}`);
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

/** The points of Prometheus' text format: `{ name, labels, value }`. */
export async function scrape(url) {
  const text = await (await fetch(url)).text();
  return text.split("\n").flatMap((line) => {
    const match = /^([\w:]+)(?:\{(.*?)\})? (\S+)/.exec(line);
    if (match === null) return [];
    const [, name, list = "", value] = match;
    const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, label]) => [
      key,
      label,
    ]);
    return [{ name, labels: Object.fromEntries(labels), value: Number(value) }];
  });
}

/** Waits until `done` says of the points at a URL that they are all there. */
export async function scrapeUntil(url, done, waitMs = 20_000) {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const points = await scrape(url);
    if (done(points) || Date.now() > deadline) return points;
    await sleep(200);
  }
}

/** Rows of equal columns. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    console.log(`  ${cells.join("   ")}`);
  }
}
