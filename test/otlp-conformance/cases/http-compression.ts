/** Content codings over HTTP. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { allOf, httpCases } from "../conformance-case.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import {
  andAlive,
  fullSuccess,
  isStatus,
  judge,
  refused,
  status,
  statusIn,
} from "../http-expectations.ts";
import { tracesBody, tracesJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const encoded = (coding: string) => ({ headers: { "Content-Encoding": coding } });

/** gzip, none, others, and what only claims to be one of them. */
export const httpCompression = httpCases(
  {
    id: "http-gzip-protobuf",
    level: "MUST",
    spec: SPEC.compression,
    title: "gzip is supported, with protobuf",
    run: async (http) =>
      judge(await http.post(gzipSync(tracesBody()), PROTOBUF, encoded("gzip")), fullSuccess),
  },
  {
    id: "http-gzip-json",
    level: "MUST",
    spec: SPEC.compression,
    title: "gzip is supported, with JSON",
    run: async (http) =>
      judge(await http.post(gzipSync(tracesJson()), JSON_TYPE, encoded("gzip")), fullSuccess),
  },
  {
    id: "http-gzip-empty",
    level: "SHOULD",
    spec: SPEC.httpSuccess,
    title: "an empty request is a success in gzip, too",
    run: async (http) =>
      judge(
        await http.post(gzipSync(""), PROTOBUF, { ...encoded("gzip"), what: "gzip of nothing" }),
        fullSuccess,
      ),
  },
  {
    id: "http-gzip-members",
    level: "MUST",
    spec: "https://www.rfc-editor.org/rfc/rfc1952#page-5",
    title: "gzip of several members is read to its end",
    run: async (http) => {
      const body = tracesBody();
      const halves = [body.subarray(0, 40), body.subarray(40)].map((half) => gzipSync(half));
      const more = { ...encoded("gzip"), what: "one message in two members" };
      return judge(await http.post(Buffer.concat(halves), PROTOBUF, more), fullSuccess);
    },
  },
  {
    id: "http-identity",
    level: "EXPECTED",
    spec: SPEC.compression,
    title: "Content-Encoding: identity, which some clients write for none, is none",
    run: async (http) =>
      judge(await http.post(tracesBody(), PROTOBUF, encoded("identity")), fullSuccess),
  },
  {
    id: "http-gzip-any-case",
    level: "MUST",
    spec: SPEC.contentCodings,
    title: "the name of a content coding is case-insensitive",
    run: async (http) =>
      judge(await http.post(gzipSync(tracesBody()), PROTOBUF, encoded("GZIP")), fullSuccess),
  },
  {
    id: "http-x-gzip",
    level: "SHOULD",
    spec: SPEC.contentCodings,
    title: "x-gzip is the same as gzip",
    run: async (http) =>
      judge(await http.post(gzipSync(tracesBody()), PROTOBUF, encoded("x-gzip")), fullSuccess),
  },
  {
    id: "http-zstd",
    level: "MAY",
    spec: SPEC.compression,
    title: "zstd is supported",
    run: async (http) =>
      judge(
        await http.post(zstdCompressSync(tracesBody()), PROTOBUF, encoded("zstd")),
        fullSuccess,
      ),
  },
  {
    id: "http-unknown-coding",
    level: "MUST",
    spec: SPEC.httpFailures,
    title: "an unknown Content-Encoding is refused with 4xx and a Status",
    run: async (http) =>
      judge(
        await http.post(tracesBody(), PROTOBUF, encoded("nonsense")),
        refused,
        statusIn(PROTOBUF),
      ),
  },
  {
    id: "http-unknown-coding-415",
    level: "EXPECTED",
    spec: "https://www.rfc-editor.org/rfc/rfc9110.html#section-8.4",
    title: "the code for an unknown Content-Encoding is 415 or 400",
    run: async (http) =>
      judge(await http.post(tracesBody(), PROTOBUF, encoded("nonsense")), status(415, 400)),
  },
  {
    id: "http-no-gzip",
    level: "MUST",
    spec: SPEC.httpBadData,
    title: "a body that only claims to be gzip is refused with 400 and a Status",
    run: async (http) => {
      const more = { ...encoded("gzip"), what: "plain protobuf" };
      return judge(await http.post(tracesBody(), PROTOBUF, more), status(400), statusIn(PROTOBUF));
    },
  },
  {
    id: "http-gzip-cut",
    level: "MUST",
    spec: SPEC.httpBadData,
    title: "gzip that ends early is refused with 400 and a Status",
    run: async (http) => {
      const whole = gzipSync(tracesBody());
      const half = whole.subarray(0, whole.length >> 1);
      const more = { ...encoded("gzip"), what: "half of a gzip" };
      return judge(await http.post(half, PROTOBUF, more), status(400), isStatus);
    },
  },
  {
    id: "http-gzip-checksum",
    level: "MUST",
    spec: SPEC.httpBadData,
    title: "gzip with a wrong checksum is refused with 400 and a Status",
    run: async (http) => {
      const body = gzipSync(tracesBody());
      body.writeUInt32LE((body.readUInt32LE(body.length - 8) ^ 1) >>> 0, body.length - 8);
      const more = { ...encoded("gzip"), what: "gzip with one bit of its checksum flipped" };
      const answer = await http.post(body, PROTOBUF, more);
      return andAlive(http, judge(answer, status(400), isStatus));
    },
  },
  {
    id: "http-answer-plain",
    level: "MUST",
    spec: SPEC.acceptEncoding,
    title:
      "an answer is not compressed for a client that accepts none, and may be for one that does",
    run: async (http) => {
      const accepts = (coding: string) => ({ headers: { "Accept-Encoding": coding } });
      return allOf(
        judge(await http.post(tracesBody(), PROTOBUF, accepts("identity")), plainAnswer),
        judge(await http.post(tracesBody(), PROTOBUF, accepts("gzip")), status(200)),
      );
    },
  },
);

function plainAnswer({ headers }: AnyHttpAnswer): string | undefined {
  const coding = headers["content-encoding"] ?? "identity";
  return coding === "identity" ? undefined : `the answer has Content-Encoding ${coding}`;
}
