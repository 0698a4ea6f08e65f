/** docs/dialects.md, made from the tables; `node packages/semconv/test/dialects-page.ts` writes it. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DialectAttribute } from "../dist/index.js";
import { CALL_SIGNALS, DIALECT_ATTRIBUTES, DIALECT_EVENTS } from "../dist/index.js";

const DIALECTS: Record<string, string> = {
  tidemark: "`ml.*`",
  gen_ai: "OpenTelemetry `gen_ai.*`, frozen and next",
  traceloop: "Traceloop (OpenLLMetry)",
  openinference: "OpenInference (Phoenix)",
  vercel_ai: "Vercel AI SDK",
  langfuse: "Langfuse",
};
const FORMS = { ms: "milliseconds", json: "JSON", time: "a time of day" };

/** Where the page is. */
export const PAGE = fileURLToPath(new URL("../../../docs/dialects.md", import.meta.url));

/** The page's text. */
export function dialectsPage(): string {
  const concepts = [...new Set(DIALECT_ATTRIBUTES.map(({ concept }) => concept))];
  const attributes = concepts.flatMap((concept) =>
    DIALECT_ATTRIBUTES.filter((row) => row.concept === concept).map(
      (row) =>
        `| ${concept} | \`${row.name}${restOf(row)}\` | ${DIALECTS[row.dialect]} | ${formOf(row)} |`,
    ),
  );
  const signals = Object.values(CALL_SIGNALS).map(
    ({ name, as, unit, brief }) =>
      `| \`${name}${name.endsWith(".") ? "NAME" : ""}\` | ${as} | ${unit} | ${brief} |`,
  );
  const events = DIALECT_EVENTS.map(
    ({ name, dialect, tells }) => `| \`${name}\` | ${DIALECTS[dialect]} | ${tells} |`,
  );
  return `${[
    "# The dialects that the receiver reads",
    "",
    "This page is made from the tables of `@tidemark/semconv`. Whoever emitted a span, its values become the",
    "same signals; where a span has several attributes of one concept, the first row counts.",
    "",
    "## Signals",
    "",
    "| signal | kind | unit | what it is |",
    "| --- | --- | --- | --- |",
    ...signals,
    "",
    "## Attributes",
    "",
    "| concept | attribute | dialect | written as |",
    "| --- | --- | --- | --- |",
    ...attributes,
    "",
    "## Events of spans",
    "",
    "| event | dialect | tells |",
    "| --- | --- | --- |",
    ...events,
  ].join("\n")}\n`;
}

function restOf({ ending }: DialectAttribute): string {
  return ending === undefined ? "" : `N${ending}`;
}

function formOf({ form, concept }: DialectAttribute): string {
  if (form !== undefined) return FORMS[form];
  return concept.startsWith("time") ? "seconds" : "";
}

if (import.meta.main) writeFileSync(PAGE, dialectsPage());
