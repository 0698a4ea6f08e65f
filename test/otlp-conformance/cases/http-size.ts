/** Bodies beyond the limit: announced, without a length, and only once inflated. */
import { httpCases } from "../conformance-case.ts";
import type { HttpAnswer, HttpEndpoint } from "../http-endpoint.ts";
import { PROTOBUF } from "../http-endpoint.ts";
import { andAlive, fullSuccess, judge, refused, status, statusIn } from "../http-expectations.ts";
import { gzipBomb, paddedLength, paddedMessage } from "../oversize-bodies.ts";
import { sampleSpan, traceRequest, tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const MIB = 1024 ** 2;
const LARGE_BYTES = 5 * MIB;
/** A bomb inflates to so many times the size that is refused already. */
const BOMB_FACTOR = 4;
/** How often an answer that was lost with its connection is asked for. */
const ATTEMPTS = 5;

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
  return answerOf(() =>
    http.send({
      type: PROTOBUF,
      headers: { "Content-Length": paddedLength(bytes) },
      chunks: paddedMessage(bytes),
      what: `${bytes / MIB} MiB`,
    }),
  );
}

function chunked(http: HttpEndpoint) {
  const bytes = http.oversizeBytes;
  const what = `${bytes / MIB} MiB`;
  return answerOf(() => http.send({ type: PROTOBUF, chunks: paddedMessage(bytes), what }));
}

/**
 * A server that closes while the body still comes resets the connection, and the reset may
 * overtake the answer: then nobody knows whether there was one, and it is asked again.
 */
async function answerOf(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const isReset = /ECONNRESET|EPIPE/.test((error as Error).message);
      if (!isReset || attempt === ATTEMPTS) throw error;
    }
  }
}

function bomb(http: HttpEndpoint) {
  const mebibytes = Math.ceil((http.oversizeBytes * BOMB_FACTOR) / MIB);
  const headers = { "Content-Encoding": "gzip" };
  return http.post(gzipBomb(mebibytes), PROTOBUF, { headers, what: `gzip of ${mebibytes} MiB` });
}
