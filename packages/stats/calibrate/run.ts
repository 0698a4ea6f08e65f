/**
 * Measures what the verdict promises, seeded: false-alarm rates of every test, power, delay, errors
 * and sizes. `pnpm calibrate` takes minutes and writes its tables into the package's README;
 * `--quick` takes seconds and writes nothing. Exit code 1 when anything breaks its band or goal.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { powerFigure } from "./accuracy.ts";
import { experiments } from "./experiments.ts";
import { brokenCells, cellLines, markdown, soakFigures } from "./report.ts";
import { type Figure, joined, type LevelCell, type Outcome } from "./tally.ts";

const README = new URL("../README.md", import.meta.url);
const [OPENING, CLOSING] = ["<!-- calibration -->", "<!-- /calibration -->"];

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Only the experiments of these names, separated by commas; nothing is written. */
    only: { type: "string" },
  },
});

const outcomes = await runAll(options.quick, options.only?.split(","));
const cells = joined(outcomes.flatMap((outcome) => outcome.cells));
const figures = collectFigures(outcomes, cells);
console.log("rates over alpha at", ".05, .01, 1e-3, 1e-4, 1e-5");
for (const line of cellLines(cells)) console.log(line);
for (const { name, value, goal, holds } of figures) {
  console.log(`${holds ? "holds" : "FAILS"}  ${name}: ${value} (${goal})`);
}
const broken = brokenCells(cells);
for (const cell of broken) console.error(`above its band: ${cell}`);
if (!options.quick && options.only === undefined) writeReadme(markdown(cells, figures));
process.exitCode = broken.length > 0 || figures.some(({ holds }) => !holds) ? 1 : 0;

function collectFigures(all: readonly Outcome[], levels: readonly LevelCell[]): Figure[] {
  const measured = all.flatMap((outcome) => outcome.figures);
  const ours = powerFigure(measured);
  return [
    ...soakFigures(levels),
    ...(ours ? [ours] : []),
    ...measured.filter(({ name }) => name !== "power"),
  ];
}

/** Runs every part on a thread per core; outcomes in the order of experiments and parts. */
async function runAll(quick: boolean, only: readonly string[] | undefined): Promise<Outcome[]> {
  const queue = experiments(quick).flatMap(({ name, parts }, experiment) =>
    only && !only.includes(name)
      ? []
      : Array.from({ length: parts }, (_, part) => ({ experiment, part })),
  );
  const results = Array<Outcome | undefined>(queue.length).fill(undefined);
  let next = 0;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { quick } });
      let current = -1;
      const give = (): void => {
        current = next++;
        if (current < queue.length) worker.postMessage(queue[current]);
        else void worker.terminate().then(() => resolve());
      };
      worker.on("error", reject);
      worker.on("message", ({ outcome }: { outcome: Outcome }) => {
        results[current] = outcome;
        if (process.stderr.isTTY) process.stderr.write(`\r${next} of ${queue.length} parts `);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, runOne));
  return results.filter((outcome) => outcome !== undefined);
}

function writeReadme(tables: string): void {
  const text = readFileSync(README, "utf8");
  const [from, to] = [text.indexOf(OPENING), text.indexOf(CLOSING)];
  if (from < 0 || to < from) throw new Error(`${README.pathname} lacks its calibration markers`);
  const written = `${text.slice(0, from + OPENING.length)}\n\n${tables}\n\n${text.slice(to)}`;
  writeFileSync(README, written);
}
