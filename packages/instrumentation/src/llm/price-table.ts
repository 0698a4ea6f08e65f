/** Reads price tables: the one that is shipped, and the user's own one, which comes before it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Price } from "@tidemark/semconv";
import { PriceBook, priceTable } from "@tidemark/semconv";
import { parse } from "yaml";
import { complain, fileProblem } from "../complain.js";

/** The table that is shipped. */
const PRICE_TABLE = "@tidemark/semconv/prices.yaml";

/** The book of all prices; a table that cannot be read costs only itself, and one line. */
export function loadPrices(ownFile: string | undefined): PriceBook {
  const shipped = createRequire(import.meta.url).resolve(PRICE_TABLE);
  const own = ownFile === undefined ? [] : readTable(ownFile);
  return new PriceBook([own, readTable(shipped, "tidemark")]);
}

function readTable(file: string, name?: string): Price[] {
  try {
    return priceTable(parse(readFileSync(file, "utf8"), { schema: "core" }), file, name);
  } catch (error) {
    complain(`${fileProblem(file, error)}; these prices are not used`);
    return [];
  }
}
