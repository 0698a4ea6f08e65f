/**
 * What windows cost: evaluating ten thousand signals without holding up anybody, the memory of a
 * signal with its whole ladder, and a restart. `npm run bench:evaluate -- --signals 10000`
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { PartOrder, PartResult } from "./evaluate-part.ts";

const { values: options } = parseArgs({
  options: {
    signals: { type: "string", default: "10000" },
    many: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
    panes: { type: "string", default: "288" },
  },
});
const SIGNALS = Number(options.signals);
const MANY = Number(options.many);
const KIB = 1024;

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly holds: boolean;
}

const judge = await inProcess({ part: "judge", signals: SIGNALS, rounds: Number(options.rounds) });
const midnight = await inProcess({ part: "midnight", signals: SIGNALS, rounds: 1 });
const ladder = await inProcess({ part: "memory", signals: SIGNALS, rounds: 1 });
const many = await inProcess({ part: "memory", signals: MANY, rounds: 1 });
const restart = await inProcess({
  part: "restart",
  signals: SIGNALS,
  rounds: Number(options.panes),
});

const perSignal = (of: PartResult) => of.bytes / of.signals / KIB;
const figures: Record<string, Figure> = {
  evaluate_3_windows: atMost(judge.cpuMs / 1000, "s of CPU", 1),
  longest_stop: atMost(judge.stopMs, "ms", 50),
  evaluate_whole_ladder: { ...atMost(midnight.cpuMs / 1000, "s of CPU", Infinity), goal: "-" },
  longest_stop_whole_ladder: atMost(midnight.stopMs, "ms", 50),
  memory_of_a_signal: atMost(perSignal(ladder), "KiB", 12),
  memory_of_many: atMost(many.rssBytes / KIB ** 3, "GiB", 1.5),
  memory_growth: atMost(perSignal(many) / perSignal(ladder), "x", 1.1),
  restart: atMost(restart.wallMs / 1000, "s", 5),
};
for (const [name, { value, unit, goal, holds }] of Object.entries(figures)) {
  console.log(`${name.padEnd(26)} ${value} ${unit} (${goal})${holds ? "" : "  FALLS SHORT"}`);
}
const { node } = process.versions;
console.log(JSON.stringify({ bench: "evaluate", signals: SIGNALS, many: MANY, node, figures }));

function atMost(value: number, unit: string, most: number): Figure {
  return { value: Number(value.toPrecision(3)), unit, goal: `<= ${most}`, holds: value <= most };
}

/** Each part has a process of its own, so that its memory is its own. */
async function inProcess(order: PartOrder): Promise<PartResult> {
  const file = fileURLToPath(new URL("evaluate-part.ts", import.meta.url));
  const child = fork(file, [JSON.stringify(order)], {
    execArgv: ["--expose-gc", "--max-old-space-size=3000"],
  });
  const [[result]] = (await Promise.all([once(child, "message"), once(child, "exit")])) as [
    [PartResult],
    unknown,
  ];
  return result;
}
