/** Reads price tables: the one that is shipped, and the user's own one, which comes before it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Price } from "@tidemark/semconv";
import { PriceBook } from "@tidemark/semconv";
import { parse } from "yaml";
import { z } from "zod";
import { complain, reason } from "../complain.js";

/** The table that is shipped. */
const PRICE_TABLE = "@tidemark/semconv/prices.yaml";

const price = z.number("must be a number, per million tokens").min(0, "must not be negative");

const priceSchema = z.strictObject({
  input: price,
  output: price,
  cached: price.optional(),
  cacheWrite: price.optional(),
  reasoning: price.optional(),
  from: z.iso.date("must be a day, such as 2026-01-31").optional(),
});

const tableSchema = z.strictObject({
  version: z.string("must be text").min(1),
  prices: z.array(
    z.strictObject({
      provider: z.string("must be text").min(1),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, "must be a code of ISO 4217, such as USD")
        .default("USD"),
      source: z.string().optional(),
      models: z.record(z.string(), z.union([priceSchema, z.array(priceSchema)])),
    }),
  ),
});

/** The prices of a table; throws an error that says where in the file it is wrong. */
export function parsePriceTable(yaml: string, file: string, name?: string): Price[] {
  const parsed = tableSchema.safeParse(parse(yaml, { schema: "core" }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = issue?.path.join(".") || "the file";
    throw new Error(`${file}: ${key}: ${issue?.message ?? "is no price table"}`);
  }
  const { version, prices } = parsed.data;
  const table = name === undefined ? version : `${name} ${version}`;
  return prices.flatMap(({ provider, currency, models }) =>
    Object.entries(models).flatMap(([model, eras]) =>
      [eras].flat().map(({ from, ...amounts }): Price => {
        const fromMs = from === undefined ? 0 : Date.parse(from);
        return { provider, model, currency, ...amounts, fromMs, table };
      }),
    ),
  );
}

/** The book of all prices; a table that cannot be read costs only itself, and one line. */
export function loadPrices(ownFile: string | undefined): PriceBook {
  const shipped = createRequire(import.meta.url).resolve(PRICE_TABLE);
  const own = ownFile === undefined ? [] : readTable(ownFile);
  return new PriceBook([own, readTable(shipped, "tidemark")]);
}

function readTable(file: string, name?: string): Price[] {
  try {
    return parsePriceTable(readFileSync(file, "utf8"), file, name);
  } catch (error) {
    complain(`${reason(error)}; these prices are not used`);
    return [];
  }
}
