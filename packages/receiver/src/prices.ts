/** The price tables that costs of calls follow from: the user's own one before the shipped one. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { PriceBook, priceTable } from "@tidemark/semconv";
import { parse } from "yaml";

/** The table that is shipped. */
const PRICE_TABLE = "@tidemark/semconv/prices.yaml";

/** A table that cannot be used; the message says where it is wrong. */
export class PriceTableError extends Error {
  override readonly name = "PriceTableError";
}

/** @throws PriceTableError when the user's table cannot be used */
export function readPrices(ownFile: string | undefined): PriceBook {
  const own = ownFile === undefined ? [] : readTable(ownFile);
  const shipped = createRequire(import.meta.url).resolve(PRICE_TABLE);
  return new PriceBook([own, readTable(shipped, "tidemark")]);
}

function readTable(file: string, name?: string) {
  try {
    return priceTable(parse(readFileSync(file, "utf8"), { schema: "core" }), file, name);
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    const what = syscall === undefined ? message : `cannot be read (${code}); check the path`;
    throw new PriceTableError(what.startsWith(file) ? what : `${file}: ${what}`);
  }
}
