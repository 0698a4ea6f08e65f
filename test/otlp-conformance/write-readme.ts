/**
 * Runs the suite against Tidemark's receiver and the real Collector, and writes the README's table.
 * Where the Collector is not installed, its column stays as it is.
 */
import { writeFileSync } from "node:fs";
import { startCollectorUnderTest } from "./collector-under-test.ts";
import type { Outcomes } from "./readme-table.ts";
import { COLLECTOR, columnOf, readReadme, TIDEMARK, withTable } from "./readme-table.ts";
import type { ReceiverUnderTest } from "./receiver-under-test.ts";
import { startReceiverUnderTest } from "./receiver-under-test.ts";
import type { Outcome } from "./suite.ts";
import { CASES, runCases } from "./suite.ts";

const { file, text } = readReadme();
const tidemark = await outcomesOf(startReceiverUnderTest());
const collector = await outcomesOf(startCollectorUnderTest()).catch((error: Error) => {
  console.error(`The Collector's column stays as it is: ${error.message}`);
  return columnOf(text, COLLECTOR);
});
const columns = [
  { name: TIDEMARK, outcomes: tidemark },
  { name: COLLECTOR, outcomes: collector },
];
writeFileSync(file, withTable(text, columns));

async function outcomesOf(starting: Promise<ReceiverUnderTest>): Promise<Outcomes> {
  const receiver = await starting;
  const outcomes: Record<string, Outcome> = {};
  try {
    for await (const { id, outcome } of runCases(CASES, receiver.target)) outcomes[id] = outcome;
  } finally {
    await receiver.stop();
  }
  return outcomes;
}
