/**
 * OTLP's JSON mapping. That a field is ignored can be seen without looking at what arrives: give it a
 * value that no decoder could take, were the field known.
 */
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE } from "../http-endpoint.ts";
import { fullSuccess, judge, nothingRejected } from "../http-expectations.ts";
import { spanJson, tracesJson, valueJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

async function takes(http: HttpEndpoint, what: string, body: string | Uint8Array) {
  return judge(await http.post(body, JSON_TYPE, { what }), fullSuccess);
}

/** Bytes whose base64 has both characters that the URL-safe alphabet writes otherwise. */
const BASE64 = "+/+/AA==";
const TIME = "1700000000123456789";

/** Spellings that are valid. */
export const jsonValid = httpCases(
  {
    id: "json-hex-any-case",
    level: "MUST",
    spec: SPEC.json,
    title: "traceId and spanId are hex, in lower, upper and mixed case",
    run: async (http) =>
      allOf(
        await takes(http, "ids in lower case", spanJson(ids("5b8efff798038103d269b633813fc60c"))),
        await takes(http, "ids in upper case", spanJson(ids("5B8EFFF798038103D269B633813FC60C"))),
        await takes(http, "ids in mixed case", spanJson(ids("5b8EFFF798038103d269b633813fC60C"))),
      ),
  },
  {
    id: "json-no-parent",
    level: "MUST",
    spec: SPEC.json,
    title: "an empty parentSpanId, as of a root span, is accepted",
    run: (http) => takes(http, 'parentSpanId ""', spanJson({ parentSpanId: "" })),
  },
  {
    id: "json-int64-string",
    level: "MUST",
    spec: SPEC.json,
    title: "64-bit integers are accepted as decimal strings",
    run: async (http) =>
      allOf(
        await takes(http, "times as strings", spanJson({ startTimeUnixNano: TIME })),
        await takes(http, "the least int64", valueJson({ intValue: "-9223372036854775808" })),
        await takes(
          http,
          "the largest uint64",
          spanJson({ endTimeUnixNano: "18446744073709551615" }),
        ),
      ),
  },
  {
    id: "json-int64-number",
    level: "MUST",
    spec: SPEC.json,
    title: "64-bit integers are accepted as numbers",
    run: async (http) =>
      allOf(
        await takes(http, "a time as a number", timeAsNumber()),
        await takes(http, "intValue 42", valueJson({ intValue: 42 })),
      ),
  },
  {
    id: "json-int32-string",
    level: "MUST",
    spec: SPEC.protobufJson,
    title: "32-bit integers are accepted as strings, too",
    run: (http) => takes(http, 'flags "257"', spanJson({ flags: "257" })),
  },
  {
    id: "json-double",
    level: "MUST",
    spec: SPEC.protobufJson,
    title: 'doubles are accepted as numbers and as strings, "NaN" and "Infinity" among them',
    run: async (http) => {
      const values = [0.5, 1e300, 7, "0.5", "NaN", "Infinity", "-Infinity"];
      const attributes = values.map((doubleValue) => ({ key: "value", value: { doubleValue } }));
      return takes(http, `doubleValue ${values.join(", ")}`, spanJson({ attributes }));
    },
  },
  {
    id: "json-enum-integer",
    level: "MUST",
    spec: SPEC.json,
    title: "enums are integers, also ones that this version does not know",
    run: async (http) =>
      allOf(
        await takes(http, "kind 2", spanJson({ kind: 2, status: { code: 2 } })),
        await takes(http, "kind 77", spanJson({ kind: 77 })),
      ),
  },
  {
    id: "json-bytes-base64",
    level: "MUST",
    spec: SPEC.protobufJson,
    title: "bytes are base64: standard or URL-safe, with or without padding",
    run: async (http) =>
      allOf(
        await takes(http, `bytesValue ${BASE64}`, valueJson({ bytesValue: BASE64 })),
        await takes(http, "without padding", valueJson({ bytesValue: "+/+/AA" })),
        await takes(http, "URL-safe", valueJson({ bytesValue: "-_-_AA==" })),
      ),
  },
  {
    id: "json-empty-value",
    level: "MUST",
    spec: SPEC.commonSchema,
    title: "an empty attribute value is accepted: {}, and none at all",
    run: async (http) =>
      allOf(
        await takes(http, "value {}", valueJson({})),
        await takes(http, "no value", spanJson({ attributes: [{ key: "value" }] })),
      ),
  },
  {
    id: "json-nested-values",
    level: "MUST",
    spec: SPEC.commonSchema,
    title: "nested lists of pairs and arrays of mixed types are accepted",
    run: (http) => takes(http, "nested values", valueJson(NESTED)),
  },
  {
    id: "json-empty-lists",
    level: "MUST",
    spec: SPEC.commonSchema,
    title: "an empty array and an empty list of pairs are accepted, with or without their member",
    run: async (http) => {
      const values = [
        { arrayValue: {} },
        { arrayValue: { values: [] } },
        { kvlistValue: {} },
        { kvlistValue: { values: [] } },
      ];
      const attributes = values.map((value) => ({ key: "value", value }));
      return takes(http, "empty lists", spanJson({ attributes }));
    },
  },
  {
    id: "json-null",
    level: "MUST",
    spec: SPEC.protobufJson,
    title: "null stands for a field that is left out",
    run: (http) => {
      const nothing = { traceState: null, parentSpanId: null, events: null, status: null };
      return takes(http, "fields that are null", spanJson({ ...nothing, kind: null }));
    },
  },
  {
    id: "json-unknown-fields",
    level: "MUST",
    spec: SPEC.json,
    title: "fields with unknown names are ignored, at every level and whatever they hold",
    run: async (http) => {
      const unknown = { spanColor: { hue: [1, { a: null }] } };
      const body = JSON.parse(spanJson(unknown)) as Record<string, unknown>;
      const attributes = { attributes: [{ key: "k", value: { stringValue: "v" }, keyColor: 1 }] };
      return allOf(
        await takes(http, "an unknown field in the request", JSON.stringify({ ...body, x: [1] })),
        await takes(http, "one in a span", JSON.stringify(body)),
        await takes(http, "one in an attribute", spanJson(attributes)),
      );
    },
  },
  {
    id: "json-empty-name",
    level: "MUST",
    spec: SPEC.json,
    title: "the empty name is an unknown name like any other",
    run: (http) => {
      const body = spanJson({}).replace('"traceId"', '"":true,"traceId"');
      return takes(http, '"":true in a span', body);
    },
  },
  {
    id: "json-snake-case",
    level: "MUST",
    spec: SPEC.json,
    title: "names in snake_case are unknown names: ignored, even with an impossible value",
    run: async (http) =>
      allOf(
        judge(
          await http.post('{"resource_spans":5}', JSON_TYPE, { what: '{"resource_spans":5}' }),
          nothingRejected,
        ),
        await takes(
          http,
          '"trace_id":5 in a span',
          spanJson({ trace_id: 5, start_time_unix_nano: {} }),
        ),
        await takes(http, '"string_value":5', valueJson({ stringValue: "v", string_value: 5 })),
      ),
  },
  {
    id: "json-prototype-names",
    level: "MUST",
    spec: SPEC.json,
    title: "unknown names that mean something to a runtime are ignored like others",
    run: (http) => {
      const names = '"__proto__":5,"constructor":{"prototype":1},"toString":"x",';
      const body = spanJson({}).replace('"traceId"', `${names}"traceId"`);
      return takes(http, "__proto__, constructor, toString", body);
    },
  },
  {
    id: "json-whitespace",
    level: "MUST",
    spec: "https://www.rfc-editor.org/rfc/rfc8259.html#section-2",
    title: "whitespace and escapes are as in any JSON",
    run: async (http) => {
      const pretty = JSON.stringify(JSON.parse(tracesJson()), undefined, "\t");
      const escaped = spanJson({ name: "" }).replace(
        '"name":""',
        '"n\\u0061me":"\\ud83c\\udf0a\\n"',
      );
      return allOf(
        await takes(http, "indented JSON", `\r\n ${pretty} \n`),
        await takes(http, "escapes in names and values", escaped),
      );
    },
  },
);

const NESTED = {
  kvlistValue: {
    values: [
      { key: "", value: {} },
      {
        key: "array",
        value: {
          arrayValue: {
            values: [
              { stringValue: "1" },
              { intValue: 2 },
              {},
              { arrayValue: { values: [{ bytesValue: "AA==" }] } },
              { kvlistValue: { values: [{ key: "deep", value: { boolValue: false } }] } },
            ],
          },
        },
      },
    ],
  },
};

function ids(traceId: string) {
  return { traceId, spanId: traceId.slice(0, 16), parentSpanId: traceId.slice(16) };
}

/** JSON.stringify could not write such a number without losing its last digits. */
function timeAsNumber(): string {
  return spanJson({ startTimeUnixNano: TIME }).replace(`"${TIME}"`, TIME);
}
