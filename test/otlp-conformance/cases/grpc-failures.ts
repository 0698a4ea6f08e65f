/** Calls that an OTLP/gRPC endpoint refuses, and with which code. */
import { gzipSync } from "node:zlib";
import { allOf, grpcCases } from "../conformance-case.ts";
import type { GrpcAnswer, GrpcEndpoint } from "../grpc-endpoint.ts";
import { exportMethod, frame, GRPC_CODE } from "../grpc-endpoint.ts";
import {
  acceptedOrRefused,
  andServing,
  code,
  hasMetadata,
  hasText,
  judgeCall,
  noRetryInfo,
  notKept,
  refusedForGood,
} from "../grpc-expectations.ts";
import { encodeBinary } from "../otlp/binary.ts";
import { gzipBomb, paddedLength, paddedMessage } from "../oversize-bodies.ts";
import { logsRequest, sampleSpan, traceRequest, tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const MIB = 1024 ** 2;
/** A bomb inflates to so many times the size that is refused already. */
const BOMB_FACTOR = 4;
const TEXT = Buffer.from("hello, world");

/** Bad data, unknown names, sizes. */
export const grpcFailures = grpcCases(
  {
    id: "grpc-bad-data",
    level: "MUST",
    spec: SPEC.grpcFailures,
    title: "a message that is no request is refused with a code after which nobody tries again",
    run: async (grpc) =>
      andServing(
        grpc,
        allOf(
          judgeCall(await grpc.export(TEXT, "text instead of protobuf"), refusedForGood),
          judgeCall(await grpc.export(tracesBody().subarray(0, -7), "cut off"), refusedForGood),
        ),
      ),
  },
  {
    id: "grpc-bad-data-code",
    level: "SHOULD",
    spec: SPEC.grpcFailures,
    title: "the code for bad data is INVALID_ARGUMENT",
    run: async (grpc) =>
      judgeCall(
        await grpc.export(TEXT, "text instead of protobuf"),
        code(GRPC_CODE.invalidArgument),
      ),
  },
  {
    id: "grpc-failure-message",
    level: "SHOULD",
    spec: SPEC.grpcFailures,
    title: "a failure has a message",
    run: async (grpc) => judgeCall(await grpc.export(TEXT, "text instead of protobuf"), hasText),
  },
  {
    id: "grpc-no-gzip",
    level: "MUST",
    spec: SPEC.grpcFailures,
    title: "a message that only claims to be gzip is refused for good",
    run: async (grpc) => {
      const answer = await grpc.call({
        pieces: [frame(tracesBody(), true)],
        headers: { "grpc-encoding": "gzip" },
        what: "plain protobuf, said to be gzip",
      });
      return andServing(grpc, judgeCall(answer, refusedForGood));
    },
  },
  {
    id: "grpc-unknown-coding",
    level: "MUST",
    spec: SPEC.grpcCompression,
    title: "an unknown grpc-encoding is UNIMPLEMENTED",
    run: async (grpc) => judgeCall(await unknownCoding(grpc), code(GRPC_CODE.unimplemented)),
  },
  {
    id: "grpc-accept-encoding",
    level: "SHOULD",
    spec: SPEC.grpcCompression,
    title: "the answer to an unknown grpc-encoding says in grpc-accept-encoding what is known",
    run: async (grpc) => judgeCall(await unknownCoding(grpc), hasMetadata("grpc-accept-encoding")),
  },
  {
    id: "grpc-coding-not-said",
    level: "MUST",
    spec: SPEC.grpcCompression,
    title: "a message marked as compressed in a stream without grpc-encoding is INTERNAL",
    run: async (grpc) =>
      judgeCall(
        await grpc.call({
          pieces: [frame(gzipSync(tracesBody()), true)],
          what: "gzip without grpc-encoding",
        }),
        code(GRPC_CODE.internal),
      ),
  },
  {
    id: "grpc-unknown-service",
    level: "MUST",
    spec: SPEC.grpcStatus,
    title: "an unknown service and an unknown method are UNIMPLEMENTED",
    run: async (grpc) => {
      const pieces = [frame(tracesBody())];
      const method = exportMethod("trace").replace("Export", "Import");
      return allOf(
        judgeCall(
          await grpc.call({ method: "/nothing.is.Here/Export", pieces }),
          code(GRPC_CODE.unimplemented),
        ),
        judgeCall(await grpc.call({ method, pieces }), code(GRPC_CODE.unimplemented)),
      );
    },
  },
  {
    id: "grpc-wrong-type",
    level: "SHOULD",
    spec: SPEC.grpcHttp2,
    title: "a content type other than application/grpc is answered HTTP 415",
    run: async (grpc) =>
      judgeCall(
        await grpc.call({
          pieces: [frame(tracesBody())],
          headers: { "content-type": "text/plain" },
        }),
        is415,
      ),
  },
  {
    id: "grpc-size",
    level: "MUST",
    spec: SPEC.grpcRequest,
    title: "a message beyond the limit is refused with RESOURCE_EXHAUSTED",
    run: async (grpc) =>
      andServing(grpc, judgeCall(await oversize(grpc), code(GRPC_CODE.resourceExhausted))),
  },
  {
    id: "grpc-size-inflated",
    level: "MUST",
    spec: SPEC.grpcRequest,
    title: "a small gzip that inflates beyond the limit is refused with RESOURCE_EXHAUSTED",
    run: async (grpc) => {
      const mebibytes = Math.ceil((grpc.oversizeBytes * BOMB_FACTOR) / MIB);
      const answer = await grpc.call({
        pieces: [frame(gzipBomb(mebibytes), true)],
        headers: { "grpc-encoding": "gzip" },
        what: `gzip of ${mebibytes} MiB`,
      });
      return andServing(grpc, judgeCall(answer, code(GRPC_CODE.resourceExhausted)));
    },
  },
  {
    id: "grpc-size-for-good",
    level: "EXPECTED",
    spec: SPEC.grpcFailures,
    title: "a refusal for size has no RetryInfo, so that nobody sends the same again",
    run: async (grpc) => judgeCall(await oversize(grpc), refusedForGood, noRetryInfo),
  },
  {
    id: "grpc-no-ids",
    level: "MUST",
    spec: SPEC.grpcPartial,
    title: "spans without ids are accepted in full, in part, or refused for good",
    run: async (grpc) => {
      const body = tracesBody(traceRequest([{ name: "no ids" }]));
      return judgeCall(await grpc.export(body, "a span without ids"), acceptedOrRefused);
    },
  },
  {
    id: "grpc-no-ids-told",
    level: "EXPECTED",
    spec: SPEC.traceSchema,
    title: "spans without ids, which the schema calls invalid, are not reported as kept",
    run: async (grpc) => {
      const body = tracesBody(traceRequest([sampleSpan({ traceId: Buffer.alloc(0) })]));
      return judgeCall(await grpc.export(body, "a span without trace_id"), notKept);
    },
  },
  {
    id: "grpc-logs-as-traces",
    level: "EXPECTED",
    spec: SPEC.traceSchema,
    title: "logs sent to the trace service are not reported as kept",
    run: async (grpc) => {
      const logs = encodeBinary("LogsRequest", logsRequest());
      return judgeCall(await grpc.export(logs, "logs"), acceptedOrRefused, notKept);
    },
  },
);

function unknownCoding(grpc: GrpcEndpoint) {
  return grpc.call({
    pieces: [frame(tracesBody(), true)],
    headers: { "grpc-encoding": "nonsense" },
  });
}

/** The prefix announces the whole message, so an endpoint can refuse before the bytes come. */
function oversize(grpc: GrpcEndpoint): Promise<GrpcAnswer> {
  const bytes = grpc.oversizeBytes;
  const prefix = frame(Buffer.alloc(0));
  prefix.writeUInt32BE(paddedLength(bytes), 1);
  const pieces = (function* () {
    yield prefix;
    yield* paddedMessage(bytes);
  })();
  return grpc.call({ pieces, what: `a message of ${bytes / MIB} MiB` });
}

function is415({ httpStatus }: GrpcAnswer): string | undefined {
  return httpStatus === 415 ? undefined : `the HTTP code must be 415, not ${httpStatus}`;
}
