/** Results as a table for a terminal, as Markdown for a README, and counted. */
import type { Level } from "./conformance-case.ts";
import type { Result } from "./suite.ts";

const OUTCOME_WIDTH = 8;
const LEVEL_WIDTH = 9;
const ID_WIDTH = 30;
/** Below its case, indented as far as the title. */
const INDENT = " ".repeat(OUTCOME_WIDTH + LEVEL_WIDTH);
const LINE_CHARS_MAX = 400;

/** One result; what went over the wire stands below it, in a line each. */
export function resultLines(result: Result): string {
  const { outcome, level, id, title, sent, received, reason } = result;
  const first = `${outcome.padEnd(OUTCOME_WIDTH)}${level.padEnd(LEVEL_WIDTH)}${id.padEnd(ID_WIDTH)} ${title}`;
  const details = [
    ["sent", sent],
    ["received", received],
    [outcome === "skipped" ? "because" : "but", reason],
  ].filter(([, text]) => text !== "");
  const lines = details.map(([label = "", text = ""]) => `${INDENT}${label}: ${shorten(text)}`);
  return [first, ...lines].join("\n");
}

function shorten(text: string): string {
  return text.length > LINE_CHARS_MAX ? `${text.slice(0, LINE_CHARS_MAX)} …` : text;
}

/** How many results there are of each outcome, the failures by level. */
export function summaryLine(results: readonly Result[]): string {
  const count = (outcome: Result["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const failed = (["MUST", "SHOULD", "EXPECTED"] satisfies Level[]).map((level) => {
    const failures = results.filter(
      (result) => result.outcome === "fail" && result.level === level,
    );
    return `${failures.length} ${level}`;
  });
  return (
    `${results.length} cases: ${count("pass")} passed, ${count("fail")} failed ` +
    `(${failed.join(", ")}), ${count("absent")} optional and absent, ${count("skipped")} skipped`
  );
}

/** One endpoint's results under the name that a table gives them. */
export interface NamedResults {
  readonly name: string;
  readonly results: readonly Result[];
}

/** A Markdown table of all cases, with a column for each endpoint. */
export function markdownTable(endpoints: readonly NamedResults[]): string {
  const names = endpoints.map(({ name }) => name);
  const cases = endpoints[0]?.results ?? [];
  const rows = cases.map(({ id, level, spec, title }) => {
    const outcomes = endpoints.map(({ results }) => {
      const outcome = results.find((result) => result.id === id)?.outcome ?? "skipped";
      return outcome === "fail" ? "**fail**" : outcome;
    });
    return [`\`${id}\``, `[${level}](${spec})`, escapePipes(title), ...outcomes];
  });
  const head = ["case", "level", "what it claims", ...names];
  return table([head, ...rows]);
}

/** Cells are padded to the width of their column, as a formatter would leave them. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function escapePipes(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ").replaceAll("<", "&lt;");
}
