/** Attributes that hold JSON in a string: read within bounds, never trusted. */

/** Longer texts are not read. */
const TEXT_LENGTH_MAX = 65_536;
const ENTRIES_MAX = 64;

/** The numbers of a flat JSON object, such as Langfuse's `usage_details`; undefined for no such. */
export function jsonNumbers(text: string): Map<string, number> | undefined {
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const numbers = Object.entries(value)
    .slice(0, ENTRIES_MAX)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return new Map(numbers.filter(([, number]) => Number.isFinite(number) && number >= 0));
}

/** How many documents a JSON list holds, and the scores of those that have one. */
export function jsonDocuments(text: string): { count: number; scores: number[] } | undefined {
  const value = parsed(text);
  if (!Array.isArray(value)) return undefined;
  const scores = value.slice(0, ENTRIES_MAX).flatMap((document: unknown): number[] => {
    const score = (document as { score?: unknown } | null)?.score;
    return typeof score === "number" && Number.isFinite(score) ? [score] : [];
  });
  return { count: value.length, scores };
}

/** A time of day, as it is or as a JSON string, in milliseconds since the epoch; NaN for none. */
export function timeOf(text: string): number {
  return Date.parse(text.startsWith('"') ? String(parsed(text)) : text);
}

/**
 * Tokens or costs by Langfuse's rule: what is called after the input is input, what is called
 * after the output is output, and all parts of one side add up.
 */
export function sidesOf(details: ReadonlyMap<string, number>): { input: number; output: number } {
  const sides = { input: Number.NaN, output: Number.NaN };
  for (const [name, number] of details) {
    if (name.includes("total")) continue;
    if (/input|prompt/.test(name)) sides.input = (sides.input || 0) + number;
    else if (/output|completion/.test(name)) sides.output = (sides.output || 0) + number;
  }
  return sides;
}

function parsed(text: string): unknown {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
