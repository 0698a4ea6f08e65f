/** The bodies that a fuzz run begins with, a new set for each batch. */
import fc from "fast-check";
import { ExportTraceServiceRequest, traceBody } from "../../bench/trace-bodies.ts";
import { arbitraryRequest } from "../arbitrary-request.ts";
import { reshape } from "./body-mutator.ts";

const BODIES = 400;
/** Small ones find as much as large ones, and sooner. */
const BODY_BYTES_MAX = 1000;
/** Around the bounds of nesting. */
const DEPTHS = [1, 2, 30, 31, 32, 33, 40];

/** Encoded requests: as encoders write them, and reshaped. */
export function fuzzBodies(
  keys: readonly string[],
  seed: number,
  random: () => number,
): Uint8Array[] {
  const messages = fc.sample(arbitraryRequest(keys), { numRuns: BODIES, seed });
  const usual = [
    ...messages.map((message) => ExportTraceServiceRequest.encode(message).finish()),
    ...DEPTHS.flatMap((depth) => [nested(depth, inList), nested(depth, inMap)]).map((message) =>
      ExportTraceServiceRequest.encode(message).finish(),
    ),
    ...(["inference", "mixed"] as const).flatMap((kind) =>
      [1, 2].map((n) => traceBody(kind, n, seed)),
    ),
  ].filter(({ length }) => length <= BODY_BYTES_MAX);
  return [...usual, ...usual.map((body) => reshape(body, random))];
}

const inList = (value: object) => ({ arrayValue: { values: [value] } });
const inMap = (value: object) => ({ kvlistValue: { values: [{ key: "k", value }] } });

function nested(depth: number, wrap: (value: object) => object): object {
  let value: object = { doubleValue: 1 };
  for (let i = 0; i < depth; i++) value = wrap(value);
  const attributes = [{ key: "ml.feature.deep", value }];
  const span = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1), attributes };
  return { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, events: [{ attributes }] }] }] }] };
}
