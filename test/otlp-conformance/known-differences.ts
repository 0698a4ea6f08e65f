/**
 * What two receivers are known not to meet, and why. The tests hold a receiver to exactly this: a new
 * failure breaks them, and so does a failure that is no longer there.
 */

import { resultLines } from "./report.ts";
import type { Result } from "./suite.ts";

/** Case ids with the reason. */
export type Differences = Readonly<Record<string, string>>;

/**
 * Where results and a list do not agree: failures that it does not have, and entries of it that did
 * not fail. Cases that were skipped say nothing.
 */
export function surprises(results: readonly Result[], known: Differences): string[] {
  const unknown = results
    .filter(({ id, outcome }) => outcome === "fail" && known[id] === undefined)
    .map((result) => `not on the list: ${resultLines(result)}`);
  const gone = results
    .filter(({ id, outcome }) => outcome === "pass" && known[id] !== undefined)
    .map(({ id }) => `to be taken off the list, as it passes now: ${id}`);
  const ids = new Set(results.map(({ id }) => id));
  const misspelt = Object.keys(known).filter((id) => !ids.has(id));
  return [...unknown, ...gone, ...misspelt.map((id) => `on the list, but no case: ${id}`)];
}

/** Tidemark's own receiver. */
export const TIDEMARK_DIFFERENCES: Differences = {};

/** The Collector's OTLP receiver, version 0.155.0, with its defaults. */
export const COLLECTOR_DIFFERENCES: Differences = {
  "http-protobuf-partial-unset": "partial_success is there, and empty",
  "http-json-partial-unset": "partialSuccess is there, and empty",
  "grpc-partial-unset": "partial_success is there, and empty",
  "http-no-ids-told": "ids are not looked at",
  "grpc-no-ids-told": "ids are not looked at",
  "http-logs-as-traces-told": "logs become spans without ids, and are acknowledged",
  "grpc-logs-as-traces": "logs become spans without ids, and are acknowledged",
  "http-identity": "identity is refused with 400",
  "http-gzip-any-case": "content codings are compared with their case",
  "http-x-gzip": "only the name gzip is known",
  "http-path-status-protobuf": "a 404 is plain text",
  "http-path-status-json": "a 404 is plain text",
  "http-method-allow": "a 405 has no Allow",
  "http-method-status": "a 405 is plain text",
  "http-type-status": "a 415 is plain text",
  "http-type-missing": "a 415 is plain text",
  "http-failure-message": "a 404 is plain text",
  "http-size-413": "the code is 400",
  "http-size-chunked-413": "the code is 400",
  "http-size-inflated-413": "the code is 400",
  "protobuf-unknown-group": "a group is taken for the end of the data",
  "protobuf-bad-details": "details are not filled in",
  "json-bytes-base64": "base64 must be of the standard alphabet, and padded",
  "json-null": "null is refused for an enum",
  "json-empty-name": "the empty name ends the object around it",
  "json-snake-case": "snake_case names are read like the others",
  "data-snake-case": "snake_case names are read like the others",
  "json-bad-trailing": "what follows the request is not looked at",
  "json-enum-name": "names of enums are read",
  "grpc-large-accepted": "the limit is 4 MiB",
  "grpc-bad-data-code": "the code is INTERNAL",
  "grpc-accept-encoding": "the header is not there",
};
