/** The sections that the cases refer to. */

const OTLP = "https://opentelemetry.io/docs/specs/otlp/";
const GRPC = "https://github.com/grpc/grpc/blob/master/doc/";
const PROTO = "https://protobuf.dev/programming-guides/";
const SCHEMA = "https://github.com/open-telemetry/opentelemetry-proto/blob/main/";
const RFC_HTTP = "https://www.rfc-editor.org/rfc/rfc9110.html#section-";
const RFC_HTTP_1 = "https://www.rfc-editor.org/rfc/rfc9112.html#section-";

/** Address by topic. */
export const SPEC = {
  compression: `${OTLP}#protocol-details`,
  binary: `${OTLP}#binary-protobuf-encoding`,
  json: `${OTLP}#json-protobuf-encoding`,
  httpRequest: `${OTLP}#otlphttp-request`,
  httpResponse: `${OTLP}#otlphttp-response`,
  httpSuccess: `${OTLP}#full-success-1`,
  httpPartial: `${OTLP}#partial-success-1`,
  httpFailures: `${OTLP}#failures-1`,
  httpBadData: `${OTLP}#bad-data`,
  httpThrottling: `${OTLP}#otlphttp-throttling`,
  httpOther: `${OTLP}#all-other-responses`,
  httpConnection: `${OTLP}#otlphttp-connection`,
  httpConcurrent: `${OTLP}#otlphttp-concurrent-requests`,
  emptyEnvelopes: `${OTLP}#empty-telemetry-envelopes`,
  duplicates: `${OTLP}#duplicate-data`,
  grpcRequest: `${OTLP}#otlpgrpc-request`,
  grpcConcurrent: `${OTLP}#otlpgrpc-concurrent-requests`,
  grpcSuccess: `${OTLP}#full-success`,
  grpcPartial: `${OTLP}#partial-success`,
  grpcFailures: `${OTLP}#failures`,
  grpcServices: `${OTLP}#otlpgrpc-service-and-protobuf-definitions`,
  grpcCompression: `${GRPC}compression.md`,
  grpcHttp2: `${GRPC}PROTOCOL-HTTP2.md`,
  grpcStatus: `${GRPC}statuscodes.md`,
  protobuf: `${PROTO}encoding/`,
  protobufJson: `${PROTO}json/`,
  traceSchema: `${SCHEMA}opentelemetry/proto/trace/v1/trace.proto`,
  commonSchema: `${SCHEMA}opentelemetry/proto/common/v1/common.proto`,
  fieldNames: `${RFC_HTTP}5.1`,
  mediaTypes: `${RFC_HTTP}8.3.1`,
  contentCodings: `${RFC_HTTP}8.4.1`,
  head: `${RFC_HTTP}9.3.2`,
  expect: `${RFC_HTTP}10.1.1`,
  acceptEncoding: `${RFC_HTTP}12.5.3`,
  methodNotAllowed: `${RFC_HTTP}15.5.6`,
  requestTarget: `${RFC_HTTP_1}3.2.2`,
  chunked: `${RFC_HTTP_1}7.1`,
  pipelining: `${RFC_HTTP_1}9.3.2`,
  malformedHttp: `${RFC_HTTP_1}2.2`,
  http2Ping: "https://www.rfc-editor.org/rfc/rfc9113.html#section-6.7",
} as const;
