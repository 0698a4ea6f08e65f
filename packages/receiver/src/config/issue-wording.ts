/** What a complaint says of a value that the schema does not take: what it must be instead. */
import type { z } from "zod";

/** Of what is expected, in the words of a YAML file. */
const EXPECTED: Readonly<Record<string, string>> = {
  array: "a list, such as [a, b]",
  object: "keys with values",
  record: "keys with values",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** The wording of one issue; `root` is the value of the whole file. */
export function issueWording(root: unknown, issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") {
    return `must be one of: ${issue.values.map(String).join(", ")}`;
  }
  if (issue.code === "too_small") {
    if (issue.origin === "string") return "must not be empty";
    return limit(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum);
  }
  if (issue.code === "too_big") {
    return limit(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum);
  }
  let value = root;
  for (const step of issue.path)
    value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
  const said = issue.code === "invalid_type" && issue.message.startsWith("Invalid input");
  const wanted = said ? `must be ${EXPECTED[issue.expected] ?? issue.expected}` : issue.message;
  if (value === undefined) return `is missing; it ${wanted}`;
  return said ? `${JSON.stringify(value)} is not possible; it ${wanted}` : wanted;
}

function limit(origin: string, what: string, bound: number | bigint): string {
  return origin === "array" ? `must have ${what} ${bound} entries` : `must be ${what} ${bound}`;
}
