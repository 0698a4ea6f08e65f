/** Reads a price table out of what its YAML says; whoever reads the file parses the YAML. */
import type { Price } from "./prices.js";

type Members = Readonly<Record<string, unknown>>;

/** Currencies are codes of ISO 4217; a day is one of ISO 8601. */
const CURRENCY = /^[A-Z]{3}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const AMOUNTS = ["input", "output", "cached", "cacheWrite", "reasoning"] as const;
const OPTIONAL: ReadonlySet<string> = new Set(["cached", "cacheWrite", "reasoning"]);

/**
 * The prices of a table.
 * @param name comes before the table's version in {@link Price.table}
 * @throws Error whose message names the file and the key that is wrong
 */
export function priceTable(parsed: unknown, file: string, name?: string): Price[] {
  const fail = (key: string, complaint: string): never => {
    throw new Error(`${file}: ${key}: ${complaint}`);
  };
  const table = members(parsed, "the file", ["version", "prices"], fail);
  const version = text(table["version"], "version", fail);
  const origin = name === undefined ? version : `${name} ${version}`;
  return list(table["prices"], "prices", fail).flatMap((one, index) => {
    const at = `prices.${index}`;
    const entry = members(one, at, ["provider", "currency", "source", "models"], fail);
    const { currency = "USD" } = entry;
    if (typeof currency !== "string" || !CURRENCY.test(currency)) {
      fail(`${at}.currency`, "must be a code of ISO 4217, such as USD");
    }
    const owner = {
      provider: text(entry["provider"], `${at}.provider`, fail),
      currency: currency as string,
      table: origin,
    };
    return Object.entries(members(entry["models"], `${at}.models`, undefined, fail)).flatMap(
      ([model, eras]) =>
        [eras].flat().map((era) => {
          return { ...owner, model, ...priceOf(era, `${at}.models.${model}`, fail) };
        }),
    );
  });
}

type Fail = (key: string, complaint: string) => never;
type Amounts = Pick<Price, (typeof AMOUNTS)[number] | "fromMs">;

function priceOf(value: unknown, at: string, fail: Fail): Amounts {
  const price = members(value, at, [...AMOUNTS, "from"], fail);
  const amounts: Record<string, number> = {};
  for (const key of AMOUNTS) {
    const amount = price[key];
    if (amount === undefined && OPTIONAL.has(key)) continue;
    if (typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) {
      return fail(`${at}.${key}`, "must be a number of at least 0, per million tokens");
    }
    amounts[key] = amount;
  }
  const { from } = price;
  if (from === undefined) return { ...amounts, fromMs: 0 } as Amounts;
  const fromMs = typeof from === "string" && DAY.test(from) ? Date.parse(from) : Number.NaN;
  if (Number.isNaN(fromMs)) fail(`${at}.from`, "must be a day, such as 2026-01-31");
  return { ...amounts, fromMs } as Amounts;
}

function members(value: unknown, at: string, known: string[] | undefined, fail: Fail): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail(at, "must be a map of keys and values");
  }
  const unknown = Object.keys(value).find((key) => known !== undefined && !known.includes(key));
  if (unknown !== undefined) fail(at, `unknown key "${unknown}"; known are ${known?.join(", ")}`);
  return value as Members;
}

function list(value: unknown, at: string, fail: Fail): readonly unknown[] {
  return Array.isArray(value) ? value : fail(at, "must be a list");
}

function text(value: unknown, at: string, fail: Fail): string {
  return typeof value === "string" && value !== "" ? value : fail(at, "must be text");
}
