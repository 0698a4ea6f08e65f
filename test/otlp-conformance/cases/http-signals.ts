/** The other signals over HTTP. An endpoint for traces alone is fine, if it says so. */
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import {
  acceptedOrBadData,
  fullSuccess,
  judge,
  nothingRejected,
  notSwallowed,
  statusIn,
} from "../http-expectations.ts";
import { bytesField, encodeBinary, tag, varint, WIRE } from "../otlp/binary.ts";
import { toJson } from "../otlp/json.ts";
import type { Message, MessageName } from "../otlp/schema.ts";
import { logsRequest, metricsRequest } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

/** Metrics and logs, on their own paths and on the wrong one. */
export const httpSignals = httpCases(
  {
    id: "http-metrics",
    level: "MUST",
    spec: SPEC.httpResponse,
    title: "metrics are accepted, or refused with 404 and a Status in the request's encoding",
    run: (http) => servedOrAbsent(http, "/v1/metrics", "MetricsRequest", metricsRequest()),
  },
  {
    id: "http-metrics-packed",
    level: "MUST",
    spec: SPEC.protobuf,
    title: "repeated numbers, as a histogram's counts, are accepted packed and one by one",
    run: async (http) => {
      const send = (what: string, ...fields: readonly Buffer[]) =>
        http.post(histogram(fields), PROTOBUF, { path: "/v1/metrics", what });
      const packed = await send("packed counts and bounds", ...PACKED);
      const single = await send("counts and bounds one by one", ...SINGLE);
      const findings = allOf(judge(packed, fullSuccess), judge(single, fullSuccess));
      if (packed.status !== 404) return findings;
      return { ...findings, faults: [], skipped: "metrics are not served" };
    },
  },
  {
    id: "http-logs",
    level: "MUST",
    spec: SPEC.httpResponse,
    title: "logs are accepted, or refused with 404 and a Status in the request's encoding",
    run: (http) => servedOrAbsent(http, "/v1/logs", "LogsRequest", logsRequest()),
  },
  {
    id: "http-logs-as-traces",
    level: "MUST",
    spec: SPEC.httpBadData,
    title:
      "logs sent to /v1/traces, which protobuf can read as spans, are no failure of the server",
    run: async (http) =>
      allOf(
        judge(await logsAsTraces(http), acceptedOrBadData),
        judge(await logsAsTraces(http, { timeUnixNano: 1n, severityNumber: 9 }), acceptedOrBadData),
      ),
  },
  {
    id: "http-logs-as-traces-told",
    level: "EXPECTED",
    spec: SPEC.traceSchema,
    title: "logs sent to /v1/traces are not reported as kept: 400, or a partial success",
    run: async (http) => judge(await logsAsTraces(http), notSwallowed),
  },
  {
    id: "http-traces-path-json-logs",
    level: "MUST",
    spec: SPEC.json,
    title: "logs in JSON sent to /v1/traces are a request of unknown fields: 200, maybe a warning",
    run: async (http) => {
      const body = JSON.stringify(toJson("LogsRequest", logsRequest()));
      return judge(await http.post(body, JSON_TYPE, { what: "logs" }), nothingRejected);
    },
  },
);

const COUNTS = [1n, 2n].map(fixed64);
const BOUND = double(0.5);
/** bucket_counts is field 6, explicit_bounds field 7. */
const PACKED = [bytesField(6, ...COUNTS), bytesField(7, BOUND)];
const SINGLE = [
  ...COUNTS.flatMap((count) => [tag(6, WIRE.fixed64), count]),
  tag(7, WIRE.fixed64),
  BOUND,
];

/** A metrics request with one histogram, whose one point has these fields besides time and count. */
function histogram(fields: readonly Buffer[]): Buffer {
  const time = [tag(3, WIRE.fixed64), fixed64(BigInt(Date.now()) * 1_000_000n)];
  const point = bytesField(1, ...time, tag(4, WIRE.fixed64), fixed64(3n), ...fields);
  const cumulative = Buffer.concat([tag(2, WIRE.varint), varint(2)]);
  const metric = [bytesField(1, Buffer.from("otlp.conformance")), bytesField(9, point, cumulative)];
  return bytesField(1, bytesField(2, bytesField(2, ...metric)));
}

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

async function servedOrAbsent(
  http: HttpEndpoint,
  path: string,
  name: MessageName,
  request: Message,
) {
  const binary = await http.post(encodeBinary(name, request), PROTOBUF, { path });
  const json = await http.post(JSON.stringify(toJson(name, request)), JSON_TYPE, { path });
  const either = (type: string) => (answer: AnyHttpAnswer) =>
    answer.status === 404 ? statusIn(type)(answer) : fullSuccess(answer);
  return allOf(judge(binary, either(PROTOBUF)), judge(json, either(JSON_TYPE)));
}

function logsAsTraces(http: HttpEndpoint, more: Message = {}) {
  const what = more["timeUnixNano"] === undefined ? "logs of a body only" : "logs with times";
  return http.post(encodeBinary("LogsRequest", logsRequest(more)), PROTOBUF, { what });
}
