/** Requests that an OTLP/HTTP endpoint accepts, and what it says then. */
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import {
  acceptedOrBadData,
  contentType,
  fullSuccess,
  judge,
  notSwallowed,
  partialSuccess,
  partialSuccessUnset,
  rejectedOf,
} from "../http-expectations.ts";
import { sampleSpan, spanJson, traceRequest, tracesBody, tracesJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const WITHOUT_IDS = {
  json: () => spanJson({ traceId: "", spanId: "" }),
  binary: () => tracesBody(traceRequest([{ name: "no ids" }])),
};

/** Acceptance in protobuf and JSON. */
export const httpSuccess = httpCases(
  {
    id: "http-protobuf-accepted",
    level: "MUST",
    spec: SPEC.httpSuccess,
    title: "a trace request in protobuf is answered 200 with an ExportTraceServiceResponse",
    run: async (http) => judge(await http.post(tracesBody(), PROTOBUF), fullSuccess),
  },
  {
    id: "http-json-accepted",
    level: "SHOULD",
    spec: SPEC.httpConnection,
    title: "the same path takes JSON, and answers 200 with an ExportTraceServiceResponse",
    run: async (http) => judge(await http.post(tracesJson(), JSON_TYPE), fullSuccess),
  },
  {
    id: "http-protobuf-answer-type",
    level: "MUST",
    spec: SPEC.httpResponse,
    title: "the answer to protobuf is application/x-protobuf",
    run: async (http) => judge(await http.post(tracesBody(), PROTOBUF), contentType(PROTOBUF)),
  },
  {
    id: "http-json-answer-type",
    level: "MUST",
    spec: SPEC.httpResponse,
    title: "the answer to JSON is application/json",
    run: async (http) => judge(await http.post(tracesJson(), JSON_TYPE), contentType(JSON_TYPE)),
  },
  {
    id: "http-protobuf-partial-unset",
    level: "MUST",
    spec: SPEC.httpSuccess,
    title: "a full success leaves partial_success unset, in protobuf",
    run: async (http) => judge(await http.post(tracesBody(), PROTOBUF), partialSuccessUnset),
  },
  {
    id: "http-json-partial-unset",
    level: "MUST",
    spec: SPEC.httpSuccess,
    title: "a full success leaves partialSuccess unset, in JSON",
    run: async (http) => judge(await http.post(tracesJson(), JSON_TYPE), partialSuccessUnset),
  },
  {
    id: "http-protobuf-empty",
    level: "SHOULD",
    spec: SPEC.httpSuccess,
    title: "an empty request is a success: no byte of protobuf",
    run: async (http) => judge(await http.post("", PROTOBUF), fullSuccess),
  },
  {
    id: "http-json-empty",
    level: "SHOULD",
    spec: SPEC.httpSuccess,
    title: "an empty request is a success: {} and an empty list",
    run: async (http) =>
      allOf(
        judge(await http.post("{}", JSON_TYPE, { what: "{}" }), fullSuccess),
        judge(
          await http.post('{"resourceSpans":[]}', JSON_TYPE, { what: '{"resourceSpans":[]}' }),
          fullSuccess,
        ),
      ),
  },
  {
    id: "http-empty-envelopes",
    level: "EXPECTED",
    spec: SPEC.emptyEnvelopes,
    title: "resources and scopes without spans are a success; they may be ignored",
    run: async (http) => {
      const request = { resourceSpans: [{}, { scopeSpans: [] }, { scopeSpans: [{ spans: [] }] }] };
      const what = "3 resources without spans";
      return allOf(
        judge(await http.post(tracesBody(request), PROTOBUF, { what }), fullSuccess),
        judge(await http.post(tracesJson(request), JSON_TYPE, { what }), fullSuccess),
      );
    },
  },
  {
    id: "http-same-request-twice",
    level: "EXPECTED",
    spec: SPEC.duplicates,
    title: "a request that is sent again, as after a lost answer, is accepted again",
    run: async (http) => {
      const body = tracesBody();
      await http.post(body, PROTOBUF);
      return judge(await http.post(body, PROTOBUF, { what: "the same again" }), fullSuccess);
    },
  },
  {
    id: "http-many-spans",
    level: "EXPECTED",
    spec: SPEC.httpRequest,
    title: "a request of 10,000 spans is accepted in full",
    run: async (http) => {
      const spans = Array.from({ length: 10_000 }, () => sampleSpan());
      const body = tracesBody(traceRequest(spans));
      return judge(await http.post(body, PROTOBUF, { what: "10,000 spans" }), fullSuccess);
    },
  },
  {
    id: "http-no-ids-answer",
    level: "MUST",
    spec: SPEC.httpPartial,
    title: "spans without ids: 200 or 400, and a partial success counts no more than were sent",
    run: async (http) => {
      const what = "a span without ids";
      return allOf(
        judge(
          await http.post(WITHOUT_IDS.binary(), PROTOBUF, { what }),
          acceptedOrBadData,
          countsAtMost(1n),
        ),
        judge(
          await http.post(WITHOUT_IDS.json(), JSON_TYPE, { what }),
          acceptedOrBadData,
          countsAtMost(1n),
        ),
      );
    },
  },
  {
    id: "http-no-ids-told",
    level: "EXPECTED",
    spec: SPEC.traceSchema,
    title: "spans without ids, which the schema calls invalid, are not reported as kept",
    run: async (http) => {
      const body = tracesBody(traceRequest([sampleSpan({ traceId: Buffer.alloc(0) })]));
      const what = "a span without trace_id";
      return judge(await http.post(body, PROTOBUF, { what }), notSwallowed);
    },
  },
  {
    id: "http-partial-message",
    level: "SHOULD",
    spec: SPEC.httpPartial,
    title: "a partial success says why in error_message",
    run: (http) => partial(http, PROTOBUF, WITHOUT_IDS.binary(), explained),
  },
  {
    id: "http-json-partial-count",
    level: "MUST",
    spec: SPEC.protobufJson,
    title: "a partial success in JSON writes rejectedSpans, a 64-bit integer, as a decimal string",
    run: (http) => partial(http, JSON_TYPE, WITHOUT_IDS.json(), countedInString),
  },
);

/** What can only be judged where the endpoint answers spans without ids with a partial success. */
async function partial(
  http: HttpEndpoint,
  type: string,
  body: Buffer | string,
  expectation: (answer: AnyHttpAnswer) => string | undefined,
) {
  const answer = await http.post(body, type, { what: "a span without ids" });
  const found = answer.status === 200 ? partialSuccess(answer) : undefined;
  const finding = judge(answer, expectation);
  const told = found !== undefined && (typeof found === "string" || rejectedOf(found) > 0n);
  return told ? finding : { ...finding, faults: [], skipped: "it made no partial success of it" };
}

function explained(answer: AnyHttpAnswer): string | undefined {
  const found = partialSuccess(answer);
  if (typeof found === "string" || found === undefined) return found;
  return found["errorMessage"] ? undefined : "error_message is empty";
}

function countedInString(answer: AnyHttpAnswer): string | undefined {
  const found = partialSuccess(answer);
  if (typeof found === "string" || found === undefined) return found;
  const count = found["rejectedSpans"];
  return typeof count === "string" ? undefined : `rejectedSpans is ${JSON.stringify(count)}`;
}

function countsAtMost(spans: bigint) {
  return (answer: AnyHttpAnswer) => {
    const found = answer.status === 200 ? partialSuccess(answer) : undefined;
    if (found === undefined || typeof found === "string") return undefined;
    const rejected = rejectedOf(found);
    return rejected >= 0n && rejected <= spans ? undefined : `${rejected} of ${spans} rejected`;
  };
}
