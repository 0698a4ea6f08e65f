/** Bodies beyond the limit: announced, without a length, and only once inflated. */
import { httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { PROTOBUF } from "../http-endpoint.ts";
import { andAlive, fullSuccess, judge, refused, status, statusIn } from "../http-expectations.ts";
import { gzipBomb, paddedLength, paddedMessage } from "../oversize-bodies.ts";
import { sampleSpan, traceRequest, tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const MIB = 1024 ** 2;
const LARGE_BYTES = 5 * MIB;
/** A bomb inflates to so many times the size that is refused already. */
const BOMB_FACTOR = 4;

/** The limit on a body's size. */
export const httpSize = httpCases(
  {
    id: "http-large-accepted",
    level: "EXPECTED",
    spec: SPEC.httpRequest,
    title: "a body of 5 MiB is accepted (the recommended limit is 20 MiB)",
    run: async (http) => {
      const spans = [sampleSpan({ name: "x".repeat(LARGE_BYTES) })];
      return judge(await http.post(tracesBody(traceRequest(spans)), PROTOBUF), fullSuccess);
    },
  },
  {
    id: "http-size-announced",
    level: "MUST",
    spec: SPEC.httpRequest,
    title: "a body beyond the limit, announced by its length, is refused with 4xx",
    run: async (http) => andAlive(http, judge(await announced(http), refused)),
  },
  {
    id: "http-size-chunked",
    level: "MUST",
    spec: SPEC.httpRequest,
    title: "a body beyond the limit, without an announced length, is refused with 4xx",
    run: async (http) => andAlive(http, judge(await chunked(http), refused)),
  },
  {
    id: "http-size-inflated",
    level: "MUST",
    spec: SPEC.httpRequest,
    title: "a small gzip that inflates beyond the limit is refused with 4xx",
    run: async (http) => andAlive(http, judge(await bomb(http), refused)),
  },
  {
    id: "http-size-413",
    level: "SHOULD",
    spec: SPEC.httpRequest,
    title: "the code for a body beyond the limit is 413",
    run: async (http) => judge(await announced(http), status(413)),
  },
  {
    id: "http-size-chunked-413",
    level: "SHOULD",
    spec: SPEC.httpRequest,
    title: "the code is 413 without an announced length, too",
    run: async (http) => judge(await chunked(http), status(413)),
  },
  {
    id: "http-size-inflated-413",
    level: "SHOULD",
    spec: SPEC.httpRequest,
    title: "the code is 413 for what is too large only once inflated, too",
    run: async (http) => judge(await bomb(http), status(413)),
  },
  {
    id: "http-size-status",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "the body of a refusal for size is a google.rpc.Status in the request's encoding",
    run: async (http) => judge(await bomb(http), statusIn(PROTOBUF)),
  },
);

function announced(http: HttpEndpoint) {
  const bytes = http.oversizeBytes;
  return http.send({
    type: PROTOBUF,
    headers: { "Content-Length": paddedLength(bytes) },
    chunks: paddedMessage(bytes),
    what: `${bytes / MIB} MiB`,
  });
}

function chunked(http: HttpEndpoint) {
  const bytes = http.oversizeBytes;
  return http.send({ type: PROTOBUF, chunks: paddedMessage(bytes), what: `${bytes / MIB} MiB` });
}

function bomb(http: HttpEndpoint) {
  const mebibytes = Math.ceil((http.oversizeBytes * BOMB_FACTOR) / MIB);
  const headers = { "Content-Encoding": "gzip" };
  return http.post(gzipBomb(mebibytes), PROTOBUF, { headers, what: `gzip of ${mebibytes} MiB` });
}
