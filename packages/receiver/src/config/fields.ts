/** Values as people write them, as parts of the schema: durations, sizes, addresses. */
import { z } from "zod";
import { formatDuration, formatSize, parseDuration, parseSize } from "./quantities.js";

/** A duration between two bounds; the parsed value is in milliseconds. */
export function duration(lowestMs: number, highestMs: number, fallback: string) {
  return durationText(fallback)
    .default(fallback)
    .transform(inMs(lowestMs, highestMs, fallback));
}

/** The same where there is no default. */
export function optionalDuration(lowestMs: number, highestMs: number, example: string) {
  return durationText(example)
    .transform(inMs(lowestMs, highestMs, example))
    .optional();
}

function durationText(example: string) {
  return z
    .string(`must be a duration with its unit, such as ${example}`)
    .meta({ examples: [example] });
}

function inMs(lowestMs: number, highestMs: number, example: string) {
  return (text: string, context: z.core.$RefinementCtx): number => {
    const ms = parseDuration(text);
    if (ms === undefined) {
      context.addIssue(`"${text}" is no duration; write for example ${example}`);
      return z.NEVER;
    }
    if (ms < lowestMs || ms > highestMs) {
      const range = `${formatDuration(lowestMs)} to ${formatDuration(highestMs)}`;
      context.addIssue(`${text} is out of range; allowed are ${range}`);
      return z.NEVER;
    }
    return ms;
  };
}

/** A size between 1 byte and a bound; the parsed value is in bytes. */
export function size(highest: number, fallback: string) {
  return z
    .string(`must be a size with its unit, such as ${fallback}`)
    .meta({ examples: [fallback] })
    .default(fallback)
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes === undefined || bytes < 1 || bytes > highest) {
        context.addIssue(
          `"${text}" is no size up to ${formatSize(highest)}; write for example ${fallback}`,
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
    .string(`must be host:port, such as ${fallback}`)
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
