/** Bodies that are no JSON, or no trace request in it: permanent faults of the client, so 400. */
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE } from "../http-endpoint.ts";
import {
  acceptedOrBadData,
  andAlive,
  judge,
  notSwallowed,
  status,
  statusIn,
} from "../http-expectations.ts";
import { spanJson, tracesJson, valueJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const DEPTH = 100_000;

/** Bodies that cannot be decoded, by what is wrong with them. */
const BROKEN: readonly (readonly [id: string, what: string, body: () => string])[] = [
  ["text", "text instead of JSON", () => "hello, world"],
  ["truncated", "JSON that ends early", () => tracesJson().slice(0, -3)],
  ["trailing", "JSON with something behind it", () => `${tracesJson()}}`],
  ["array", "an array instead of a request", () => "[]"],
  ["scalar", "a string instead of a request", () => '"resourceSpans"'],
  ["object-for-list", "an object instead of a list", () => '{"resourceSpans":{"spans":1}}'],
  ["list-for-object", "a list instead of a resource", () => '{"resourceSpans":[[1]]}'],
  ["number-for-text", "a number instead of text", () => spanJson({ name: 5 })],
  ["text-for-number", "text instead of a number", () => spanJson({ startTimeUnixNano: "soon" })],
  [
    "hex-digit",
    "a traceId with a letter that is no hex",
    () => spanJson({ traceId: "x".repeat(32) }),
  ],
  ["hex-odd", "a traceId of an odd number of digits", () => spanJson({ traceId: "a".repeat(31) })],
  ["base64", "bytes that are no base64", () => valueJson({ bytesValue: "***" })],
  [
    "int64-range",
    "an integer beyond 64 bits",
    () => valueJson({ intValue: "9223372036854775808" }),
  ],
  ["int64-fraction", "an integer with a fraction", () => valueJson({ intValue: 1.5 })],
];

async function sends(http: HttpEndpoint, what: string, body: string | Uint8Array) {
  return http.post(body, JSON_TYPE, { what });
}

/** What a decoder must refuse, and what it must at least survive. */
export const jsonMalformed = [
  ...httpCases(
    ...BROKEN.map(([id, what, body]) => ({
      id: `json-bad-${id}`,
      level: "MUST" as const,
      spec: SPEC.httpBadData,
      title: `${what} is answered 400, with a Status in JSON`,
      run: async (http: HttpEndpoint) => {
        const answer = await sends(http, what, body());
        return andAlive(http, judge(answer, status(400), statusIn(JSON_TYPE)));
      },
    })),
  ),
  ...httpCases(
    {
      id: "json-enum-name",
      level: "EXPECTED",
      spec: SPEC.json,
      title: "an enum by its name, which OTLP forbids, is refused with 400",
      run: async (http) =>
        judge(
          await sends(http, 'kind "SPAN_KIND_SERVER"', spanJson({ kind: "SPAN_KIND_SERVER" })),
          status(400),
        ),
    },
    {
      id: "json-base64-ids",
      level: "EXPECTED",
      spec: SPEC.json,
      title: "ids in base64, as the plain protobuf mapping has them, are not reported as kept",
      run: async (http) => {
        const ids = { traceId: "W47/95gDgQPSabYzgT/GDA==", spanId: "7uGbfsPBsXQ=" };
        return judge(await sends(http, "ids in base64", spanJson(ids)), notSwallowed);
      },
    },
    {
      id: "json-empty-body",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "no byte at all, which is no JSON, is bad data or an empty request, no failure",
      run: async (http) => judge(await sends(http, "nothing", ""), acceptedOrBadData),
    },
    {
      id: "json-null-body",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "null is bad data or an empty request, no failure",
      run: async (http) => judge(await sends(http, "null", "null"), acceptedOrBadData),
    },
    {
      id: "json-depth",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: `JSON nested ${DEPTH.toLocaleString("en")} deep is no failure of the server`,
      run: async (http) => {
        const arrays = "[".repeat(DEPTH) + "]".repeat(DEPTH);
        const unknown = tracesJson().replace("{", `{"unknown":${arrays},`);
        const answers = [
          judge(await sends(http, "arrays in each other", arrays), status(400)),
          judge(await sends(http, "an unknown field of arrays", unknown), acceptedOrBadData),
          judge(
            await sends(http, "nested values", valueJson("@").replace('"@"', deepValue())),
            acceptedOrBadData,
          ),
        ];
        return andAlive(http, allOf(...answers));
      },
    },
    {
      id: "json-utf8",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "JSON that is not UTF-8 is no failure of the server",
      run: async (http) => {
        const body = Buffer.from(spanJson({ name: "@@" }));
        body.set([0xff, 0xc3], body.indexOf("@@"));
        return andAlive(
          http,
          judge(await sends(http, "a name in no UTF-8", body), acceptedOrBadData),
        );
      },
    },
    {
      id: "json-lone-surrogate",
      level: "MUST",
      spec: SPEC.httpBadData,
      title: "half of a surrogate pair, which no UTF-8 can hold, is no failure of the server",
      run: async (http) => {
        const body = spanJson({ name: "@" }).replace("@", String.raw`\ud83c`);
        return andAlive(
          http,
          judge(await sends(http, "a lone surrogate", body), acceptedOrBadData),
        );
      },
    },
  ),
];

function deepValue(): string {
  const open = '{"arrayValue":{"values":['.repeat(DEPTH);
  return `${open}{}${"]}}".repeat(DEPTH)}`;
}
