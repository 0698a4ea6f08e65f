/**
 * How fast `tidemark baseline build` reads training data, and in how much memory: eight columns of
 * numbers and two of categories, as CSV and as Parquet. `npm run bench:baseline -- --rows 10000000`
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parquetWriteBuffer } from "hyparquet-writer";
import { runCommandLine } from "../dist/command-line.js";
import { seeded } from "./trace-bodies.ts";

const NUMBERS = 8;
const SKIES = ["sun", "rain", "fog", "snow"];
/** Rows that are written at once. */
const CHUNK_ROWS = 10_000;
/** Parquet is made in memory; a longer file says no more about a column. */
const PARQUET_ROWS_MAX = 1_000_000;
const GIB = 1024 ** 3;

interface Built {
  readonly wallMs: number;
  readonly rssBytes: number;
}

const { values: options, positionals } = parseArgs({
  options: { rows: { type: "string", default: "1000000" } },
  allowPositionals: true,
});
const [part] = positionals;
if (part === undefined) await bench(Number(options.rows));
else await build(part);

async function bench(rows: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
  try {
    const csv = join(folder, "training.csv");
    await writeCsv(csv, rows);
    const parquet = join(folder, "training.parquet");
    const parquetRows = Math.min(rows, PARQUET_ROWS_MAX);
    writeParquet(parquet, parquetRows);
    const ofCsv = await inProcess(csv);
    const ofParquet = await inProcess(parquet);
    const figures = {
      csv: perMinute(rows, ofCsv),
      csv_memory: memory(ofCsv),
      parquet: perMinute(parquetRows, ofParquet),
      parquet_memory: memory(ofParquet),
    };
    for (const [name, { value, unit, goal, holds }] of Object.entries(figures)) {
      console.log(`${name.padEnd(16)} ${value} ${unit} (${goal})${holds ? "" : "  FALLS SHORT"}`);
    }
    const { node } = process.versions;
    console.log(JSON.stringify({ bench: "baseline", rows, parquetRows, node, figures }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function perMinute(rows: number, { wallMs }: Built) {
  const value = Number(((rows / wallMs) * 0.06).toPrecision(3));
  return { value, unit: "M rows of 10 columns a minute", goal: ">= 1", holds: value >= 1 };
}

function memory({ rssBytes }: Built) {
  const value = Number((rssBytes / GIB).toPrecision(3));
  return { value, unit: "GiB", goal: "<= 1", holds: value <= 1 };
}

/** Each build has a process of its own, so that its time and memory are its own. */
async function inProcess(file: string): Promise<Built> {
  const child = fork(fileURLToPath(import.meta.url), [file], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [[built], [code]] = await Promise.all([once(child, "message"), once(child, "exit")]);
  if (code !== 0) throw new Error(`${file}: the build ended with ${String(code)}`);
  return built as Built;
}

async function build(file: string): Promise<void> {
  const startMs = performance.now();
  const out = `${file}.tidemark.json`;
  await runCommandLine(["baseline", "build", file, "--model", "m", "--out", out]);
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  process.send?.({ wallMs: performance.now() - startMs, rssBytes } satisfies Built);
}

/** One row: near-normal numbers of six digits, and two categories. */
function rowOf(random: () => number): (number | string)[] {
  const numbers = Array.from({ length: NUMBERS }, (_, column) => {
    const bell = random() + random() + random() - 1.5;
    return Math.round((bell + column) * 1e6) / 1e6;
  });
  const pick = () => SKIES[Math.floor(random() ** 2 * SKIES.length)] as string;
  return [...numbers, pick(), pick()];
}

function names(): string[] {
  return [...Array.from({ length: NUMBERS }, (_, column) => `n${column}`), "c0", "c1"];
}

async function writeCsv(file: string, rows: number): Promise<void> {
  const random = seeded(7);
  const out = createWriteStream(file);
  out.write(`${names().join(",")}\n`);
  for (let done = 0; done < rows; done += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - done);
    const lines = Array.from({ length: count }, () => `${rowOf(random).join(",")}\n`);
    if (!out.write(lines.join(""))) await once(out, "drain");
  }
  out.end();
  await finished(out);
}

function writeParquet(file: string, rows: number): void {
  const random = seeded(7);
  const all = Array.from({ length: rows }, () => rowOf(random));
  const columnData = names().map((name, column) => ({
    name,
    data: all.map((row) => row[column]),
    type: column < NUMBERS ? ("DOUBLE" as const) : ("STRING" as const),
  }));
  writeFileSync(file, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100_000 })));
}
