/** Values as people write them, as parts of the schema: durations, sizes, addresses. */
import { z } from "zod";
import { parseDuration, parseSize } from "./quantities.js";

/** A duration between two bounds; the parsed value is in milliseconds. */
export function duration(lowestMs: number, highestMs: number, fallback: string) {
  return z
    .string()
    .meta({ examples: [fallback] })
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms === undefined) {
        context.addIssue(`"${text}" is no duration; write for example ${fallback}`);
        return z.NEVER;
      }
      if (ms < lowestMs || ms > highestMs) {
        context.addIssue(`${text} is out of range; allowed are ${lowestMs} ms to ${highestMs} ms`);
        return z.NEVER;
      }
      return ms;
    });
}

/** A size between 1 byte and a bound; the parsed value is in bytes. */
export function size(highest: number, fallback: string) {
  return z
    .string()
    .meta({ examples: [fallback] })
    .default(fallback)
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes === undefined || bytes < 1 || bytes > highest) {
        context.addIssue(
          `"${text}" is no size up to ${highest} bytes; write for example ${fallback}`,
        );
        return z.NEVER;
      }
      return bytes;
    });
}

/** Where a server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`; an IPv6 address stands in brackets. */
export function endpoint(fallback: string) {
  return z
    .string()
    .default(fallback)
    .transform((text, context): Endpoint => {
      const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
      const port = Number(match?.[3]);
      if (match === null || port > 65_535) {
        context.addIssue(`"${text}" is no address; write host:port, for example ${fallback}`);
        return z.NEVER;
      }
      return { host: match[1] ?? match[2] ?? "", port };
    });
}
