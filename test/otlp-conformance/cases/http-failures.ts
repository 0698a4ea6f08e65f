/** Requests that are refused by their head: path, method, content type. */
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpRequest } from "../http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import {
  andAlive,
  fullSuccess,
  hasHeader,
  hasMessage,
  isStatus,
  judge,
  notServerError,
  refused,
  status,
  statusIn,
} from "../http-expectations.ts";
import { tracesBody, tracesJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const ELSEWHERE = { path: "/v1/nothing-is-here" };
const GET: HttpRequest = { method: "GET" };

/** Wrong path, method or type; and heads that are only unusual. */
export const httpFailures = httpCases(
  {
    id: "http-path-404",
    level: "EXPECTED",
    spec: SPEC.httpOther,
    title: "a path that is not served is answered 404",
    run: async (http) => judge(await http.post(tracesBody(), PROTOBUF, ELSEWHERE), status(404)),
  },
  {
    id: "http-path-status-protobuf",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "the body of a 404 is a google.rpc.Status, in protobuf for protobuf",
    run: async (http) =>
      judge(await http.post(tracesBody(), PROTOBUF, ELSEWHERE), statusIn(PROTOBUF)),
  },
  {
    id: "http-path-status-json",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "the body of a 404 is a google.rpc.Status, in JSON for JSON",
    run: async (http) =>
      judge(await http.post(tracesJson(), JSON_TYPE, ELSEWHERE), statusIn(JSON_TYPE)),
  },
  {
    id: "http-method-405",
    level: "EXPECTED",
    spec: SPEC.methodNotAllowed,
    title: "GET, PUT and DELETE of /v1/traces are answered 405",
    run: async (http) =>
      allOf(
        judge(await http.send(GET), status(405)),
        judge(await http.send({ method: "PUT", type: PROTOBUF }), status(405)),
        judge(await http.send({ method: "DELETE" }), status(405)),
      ),
  },
  {
    id: "http-method-allow",
    level: "MUST",
    spec: SPEC.methodNotAllowed,
    title: "a 405 names the allowed methods in Allow",
    run: async (http) => judge(await http.send(GET), hasHeader("allow")),
  },
  {
    id: "http-method-status",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "the body of a 405 is a google.rpc.Status",
    run: async (http) => judge(await http.send(GET), isStatus),
  },
  {
    id: "http-head",
    level: "MUST",
    spec: SPEC.head,
    title: "HEAD is answered without a body and without a failure",
    run: async (http) => {
      const answer = await http.send({ method: "HEAD" });
      return andAlive(http, judge(answer, notServerError, withoutBody));
    },
  },
  {
    id: "http-options",
    level: "EXPECTED",
    spec: SPEC.httpOther,
    title: "OPTIONS, as a browser's preflight, is no failure of the server",
    run: async (http) => {
      const headers = {
        Origin: "https://example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
      };
      return judge(await http.send({ method: "OPTIONS", headers }), notServerError);
    },
  },
  {
    id: "http-type-415",
    level: "EXPECTED",
    spec: SPEC.httpOther,
    title: "another content type is answered 415",
    run: async (http) => judge(await http.post("hello", "text/plain"), status(415)),
  },
  {
    id: "http-type-status",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "the body of a 415 is a google.rpc.Status in one of OTLP's encodings",
    run: async (http) => judge(await http.post("hello", "text/plain"), refused, isStatus),
  },
  {
    id: "http-type-missing",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "a request without a content type is refused with 4xx and a Status",
    run: async (http) => judge(await http.send({ body: tracesBody() }), refused, isStatus),
  },
  {
    id: "http-failure-message",
    level: "SHOULD",
    spec: SPEC.httpFailures,
    title: "the Status of a failure has a message for a developer",
    run: async (http) =>
      allOf(
        judge(await http.post("\xff", PROTOBUF, { what: "no protobuf" }), hasMessage),
        judge(await http.post("{", JSON_TYPE, { what: "{" }), hasMessage),
        judge(await http.post(tracesBody(), PROTOBUF, ELSEWHERE), hasMessage),
      ),
  },
  {
    id: "http-type-charset",
    level: "EXPECTED",
    spec: SPEC.mediaTypes,
    title: "parameters of the content type, such as a character set, do no harm",
    run: async (http) =>
      allOf(
        judge(await http.post(tracesJson(), `${JSON_TYPE}; charset=utf-8`), fullSuccess),
        judge(await http.post(tracesJson(), `${JSON_TYPE};charset="UTF-8"`), fullSuccess),
        judge(await http.post(tracesBody(), `${PROTOBUF}; version=1`), fullSuccess),
      ),
  },
  {
    id: "http-type-any-case",
    level: "MUST",
    spec: SPEC.mediaTypes,
    title: "the content type is case-insensitive",
    run: async (http) =>
      allOf(
        judge(await http.post(tracesJson(), "Application/JSON"), fullSuccess),
        judge(await http.post(tracesBody(), "APPLICATION/X-Protobuf"), fullSuccess),
      ),
  },
  {
    id: "http-query",
    level: "EXPECTED",
    spec: SPEC.httpRequest,
    title: "a query behind the path does no harm",
    run: async (http) =>
      judge(await http.post(tracesBody(), PROTOBUF, { path: "/v1/traces?key=1" }), fullSuccess),
  },
);

function withoutBody({ body }: AnyHttpAnswer): string | undefined {
  return body.length === 0 ? undefined : `the answer to HEAD has a body of ${body.length} bytes`;
}
