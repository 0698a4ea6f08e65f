/** The table of results in the README: written between markers, and read back by the tests. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NamedResults } from "./report.ts";
import { markdownTable } from "./report.ts";
import type { Outcome } from "./suite.ts";
import { CASES } from "./suite.ts";

/** The names of the table's columns. */
export const TIDEMARK = "Tidemark";
export const COLLECTOR = "Collector 0.155.0";

/** How to write the table anew, for the message of a test that finds it out of date. */
export const HOW_TO_WRITE =
  "the README's table is out of date: run npm run otlp:conformance:readme";

const README = fileURLToPath(new URL("README.md", import.meta.url));
const BEGIN = "<!-- table: begin -->";
const END = "<!-- table: end -->";

/** Outcomes by case. */
export type Outcomes = Readonly<Record<string, Outcome>>;

/** The README's text, and the same with another table. */
export function readReadme(): { readonly file: string; readonly text: string } {
  return { file: README, text: readFileSync(README, "utf8") };
}

/** The text with a table of these endpoints between the markers. */
export function withTable(text: string, columns: readonly NamedOutcomes[]): string {
  const [before, rest = ""] = text.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined) throw new Error("the markers are not there");
  const table = markdownTable(columns.map(asResults));
  const counts = columns.map(({ name, outcomes }) => `${name}: ${counted(outcomes)}`).join(". ");
  return `${before}${BEGIN}\n\n${counts}.\n\n${table}\n\n${END}${after}`;
}

/** A column of the table. */
export interface NamedOutcomes {
  readonly name: string;
  readonly outcomes: Outcomes;
}

/** The outcomes that the text's table shows for an endpoint. */
export function columnOf(text: string, name: string): Outcomes {
  const [, rest = ""] = text.split(BEGIN);
  const rows = rest.split("\n").filter((line) => line.startsWith("| "));
  const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const column = cells[0]?.indexOf(name) ?? -1;
  if (column < 0) return {};
  const outcomes = cells.slice(2).map((row) => {
    const id = (row[1] ?? "").replaceAll("`", "");
    return [id, (row[column] ?? "").replaceAll("*", "") as Outcome] as const;
  });
  return Object.fromEntries(outcomes);
}

function asResults({ name, outcomes }: NamedOutcomes): NamedResults {
  const results = CASES.map(({ id, level, spec, title }) => {
    const outcome = outcomes[id] ?? "skipped";
    return { id, level, spec, title, outcome, sent: "", received: "", reason: "" };
  });
  return { name, results };
}

function counted(outcomes: Outcomes): string {
  const all = Object.values(outcomes);
  const parts = (["pass", "fail", "absent", "skipped"] satisfies Outcome[])
    .map((outcome) => [outcome, all.filter((one) => one === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`);
  return parts.join(", ");
}
