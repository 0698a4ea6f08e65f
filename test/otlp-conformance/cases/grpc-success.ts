/** Calls that an OTLP/gRPC endpoint accepts. */
import { gzipSync } from "node:zlib";
import { allOf, grpcCases } from "../conformance-case.ts";
import type { GrpcAnswer, GrpcEndpoint } from "../grpc-endpoint.ts";
import { exportMethod, frame, GRPC_CODE } from "../grpc-endpoint.ts";
import { accepted, code, judgeCall, noPartialSuccess } from "../grpc-expectations.ts";
import { encodeBinary } from "../otlp/binary.ts";
import type { Message, MessageName } from "../otlp/schema.ts";
import {
  logsRequest,
  metricsRequest,
  sampleSpan,
  traceRequest,
  tracesBody,
} from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const LARGE_BYTES = 5 * 1024 ** 2;

/** Acceptance, compression and the other signals. */
export const grpcSuccess = grpcCases(
  {
    id: "grpc-accepted",
    level: "MUST",
    spec: SPEC.grpcSuccess,
    title: "an export of traces is answered OK with an ExportTraceServiceResponse",
    run: async (grpc) => judgeCall(await grpc.export(tracesBody()), accepted),
  },
  {
    id: "grpc-partial-unset",
    level: "MUST",
    spec: SPEC.grpcSuccess,
    title: "a full success leaves partial_success unset",
    run: async (grpc) => judgeCall(await grpc.export(tracesBody()), noPartialSuccess),
  },
  {
    id: "grpc-answer-type",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "the answer is HTTP 200 of a content type that starts with application/grpc",
    run: async (grpc) => judgeCall(await grpc.export(tracesBody()), isGrpc),
  },
  {
    id: "grpc-empty",
    level: "SHOULD",
    spec: SPEC.grpcSuccess,
    title: "an empty request is a success",
    run: async (grpc) => judgeCall(await grpc.export(Buffer.alloc(0)), accepted),
  },
  {
    id: "grpc-proto-type",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "the content type application/grpc+proto is accepted",
    run: async (grpc) =>
      judgeCall(
        await grpc.call({
          pieces: [frame(tracesBody())],
          headers: { "content-type": "application/grpc+proto" },
        }),
        accepted,
      ),
  },
  {
    id: "grpc-gzip",
    level: "MUST",
    spec: SPEC.compression,
    title: "gzip is supported",
    run: async (grpc) => judgeCall(await gzipped(grpc), accepted),
  },
  {
    id: "grpc-gzip-unused",
    level: "MUST",
    spec: SPEC.grpcCompression,
    title: "a message that is not compressed is accepted in a stream that could be",
    run: async (grpc) =>
      judgeCall(
        await grpc.call({ pieces: [frame(tracesBody())], headers: { "grpc-encoding": "gzip" } }),
        accepted,
      ),
  },
  {
    id: "grpc-identity",
    level: "MUST",
    spec: SPEC.grpcCompression,
    title: "grpc-encoding: identity is no compression",
    run: async (grpc) =>
      judgeCall(
        await grpc.call({
          pieces: [frame(tracesBody())],
          headers: { "grpc-encoding": "identity" },
        }),
        accepted,
      ),
  },
  {
    id: "grpc-metadata",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "a timeout and metadata, textual and binary, do no harm",
    run: async (grpc) => {
      const headers = {
        "grpc-timeout": "30S",
        "user-agent": "otlp-conformance",
        "x-tenant": "one",
        "x-trace-bin": Buffer.from([0, 255]).toString("base64"),
      };
      return judgeCall(await grpc.call({ pieces: [frame(tracesBody())], headers }), accepted);
    },
  },
  {
    id: "grpc-large-accepted",
    level: "EXPECTED",
    spec: SPEC.grpcRequest,
    title: "a message of 5 MiB is accepted, though 4 MiB would be an acceptable limit",
    run: async (grpc) => {
      const spans = [sampleSpan({ name: "x".repeat(LARGE_BYTES) })];
      return judgeCall(await grpc.export(tracesBody(traceRequest(spans))), accepted);
    },
  },
  {
    id: "grpc-metrics",
    level: "MUST",
    spec: SPEC.grpcServices,
    title: "metrics are accepted or UNIMPLEMENTED",
    run: (grpc) => servedOrAbsent(grpc, "metrics", "MetricsRequest", metricsRequest()),
  },
  {
    id: "grpc-logs",
    level: "MUST",
    spec: SPEC.grpcServices,
    title: "logs are accepted or UNIMPLEMENTED",
    run: (grpc) => servedOrAbsent(grpc, "logs", "LogsRequest", logsRequest()),
  },
  {
    id: "grpc-same-request-twice",
    level: "EXPECTED",
    spec: SPEC.duplicates,
    title: "a request that is sent again, as after a lost answer, is accepted again",
    run: async (grpc) => {
      const body = tracesBody();
      return allOf(
        judgeCall(await grpc.export(body), accepted),
        judgeCall(await grpc.export(body, "the same again"), accepted),
      );
    },
  },
);

function gzipped(grpc: GrpcEndpoint) {
  return grpc.call({
    pieces: [frame(gzipSync(tracesBody()), true)],
    headers: { "grpc-encoding": "gzip" },
  });
}

async function servedOrAbsent(
  grpc: GrpcEndpoint,
  signal: "metrics" | "logs",
  name: MessageName,
  request: Message,
) {
  const pieces = [frame(encodeBinary(name, request))];
  const answer = await grpc.call({ method: exportMethod(signal), pieces });
  const absent = answer.code === GRPC_CODE.unimplemented;
  return judgeCall(answer, absent ? code(GRPC_CODE.unimplemented) : accepted);
}

function isGrpc({ httpStatus, metadata }: GrpcAnswer): string | undefined {
  const type = String(metadata["content-type"]);
  const right = httpStatus === 200 && /^application\/grpc(?:[+;]|$)/.test(type);
  return right ? undefined : `HTTP ${httpStatus} with Content-Type ${type}`;
}
