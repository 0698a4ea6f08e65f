/**
 * A year of synthetic traffic in event time: see year-of-traffic.ts.
 * `npm run soak:year -- --signals 200 --days 365`
 */
import { parseArgs } from "node:util";
import { yearOfTraffic } from "./year-of-traffic.ts";

const { values: options } = parseArgs({
  options: {
    signals: { type: "string", default: "200" },
    days: { type: "string", default: "365" },
    rows: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
  },
});
const from = performance.now();
const minutes = () => ((performance.now() - from) / 60_000).toFixed(1);
const [signals, days, rows, seed] = Object.values(options).map(Number) as [
  number,
  number,
  number,
  number,
];
const result = await yearOfTraffic({
  signals,
  days,
  rows,
  seed,
  progress: (over) => console.log(`${minutes()} min: ${over} days`),
});
const { falseAlarms, delaysDays, oracleDays, othersAlarmed, evaluations } = result;
const mean = delaysDays.reduce((sum, delay) => sum + delay, 0) / delaysDays.length;
console.log(`${evaluations} windows; shifts of .7 were seen after ${delaysDays.join(", ")} days`);
const figure = (value: number, unit: string, most: number) => ({
  value: Number(value.toPrecision(3)),
  unit,
  goal: `<= ${most}`,
  holds: value <= most,
});
const figures = {
  alarms_without_a_change: figure(falseAlarms, "alarms", 2),
  mean_delay_of_the_oracles: figure(mean / oracleDays, "x", 3),
  alarms_of_others: figure(othersAlarmed, "alarms", 0),
  minutes: figure((performance.now() - from) / 60_000, "min", 60),
};
const { node } = process.versions;
console.log(JSON.stringify({ bench: "soak:year", signals, days, rows, seed, node, figures }));
