/** JSON for plain data whose numbers may be NaN or infinite, which JSON itself turns into null. */

const NUMBERS = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** Plain data as text. */
export function stringifyPlain(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "number" && !Number.isFinite(member) ? { $number: String(member) } : member,
  );
}

/** What {@link stringifyPlain} wrote; the caller knows its type. */
export function parsePlain(text: string): unknown {
  return JSON.parse(text, (_, member: unknown) => {
    if (typeof member !== "object" || member === null || !("$number" in member)) return member;
    return NUMBERS.get(member.$number as string);
  });
}
