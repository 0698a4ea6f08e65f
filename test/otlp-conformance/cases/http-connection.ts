/** Connections, framing and heads of HTTP/1.1, as clients and proxies use them. */
import type { OutgoingHttpHeaders } from "node:http";
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "../http-endpoint.ts";
import { andAlive, fullSuccess, judge, judgeRaw, refused, status } from "../http-expectations.ts";
import { tracesBody, tracesJson } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const CONCURRENT = 100;
const PIPELINED = 3;
/** Four times what common servers take for a head, and less than any would buffer gladly. */
const HUGE_HEADER_CHARS = 4 * 1024 ** 2;

function typed(body: Uint8Array): string[] {
  return [`Content-Type: ${PROTOBUF}`, `Content-Length: ${body.length}`];
}

/** How requests come in. */
export const httpConnection = httpCases(
  {
    id: "http-keep-alive",
    level: "EXPECTED",
    spec: SPEC.httpConnection,
    title: "a connection is kept for the next request, also after one that was refused",
    run: async (http) => {
      const agent = http.keepAlive();
      const ports = new Set<number | undefined>();
      agent.on("free", (socket: { localPort?: number }) => ports.add(socket.localPort));
      try {
        const first = await http.post(tracesBody(), PROTOBUF, { agent });
        const bad = await http.post("{", JSON_TYPE, { agent, what: "{" });
        const last = await http.post(tracesBody(), PROTOBUF, { agent });
        const findings = allOf(
          judge(first, fullSuccess),
          judge(bad, refused),
          judge(last, fullSuccess),
        );
        const faults = ports.size === 1 ? [] : [`it took ${ports.size} connections`];
        return { ...findings, faults: [...findings.faults, ...faults] };
      } finally {
        agent.destroy();
      }
    },
  },
  {
    id: "http-pipelining",
    level: "MUST",
    spec: SPEC.pipelining,
    title: "requests sent without waiting for answers are answered in their order",
    run: async (http) => {
      const body = tracesBody();
      const one = [http.head(typed(body)), body];
      const bad = http.head([`Content-Type: ${JSON_TYPE}`, "Content-Length: 1"]);
      const answers = await http.raw(
        [Buffer.concat([...one, bad, "{", ...one].map(toBuffer))],
        PIPELINED,
      );
      const sent = `${PIPELINED} requests in one write, the second of them bad`;
      return allOf(
        judgeRaw(sent, answers[0], fullSuccess),
        judgeRaw(sent, answers[1], status(400)),
        judgeRaw(sent, answers[2], fullSuccess),
      );
    },
  },
  {
    id: "http-concurrent",
    level: "EXPECTED",
    spec: SPEC.httpConcurrent,
    title: `${CONCURRENT} requests at once, each on its own connection, are all accepted`,
    run: async (http) => {
      const requests = Array.from({ length: CONCURRENT }, () => http.post(tracesBody(), PROTOBUF));
      const answers = await Promise.all(requests);
      return allOf(
        ...answers.map((answer) => judge({ ...answer, sent: `${CONCURRENT} POSTs` }, fullSuccess)),
      );
    },
  },
  {
    id: "http-chunked",
    level: "MUST",
    spec: SPEC.chunked,
    title: "a body in chunks, without a length, is accepted; also with extensions and trailers",
    run: async (http) => {
      const body = tracesBody();
      const chunks = [...body].map((byte) => Buffer.from([byte]));
      const head = http.head([`Content-Type: ${PROTOBUF}`, "Transfer-Encoding: chunked"]);
      const size = `${body.length.toString(16)};name="value"\r\n`;
      const [raw] = await http.raw([head, size, body, "\r\n0\r\nX-Trailer: 1\r\n\r\n"]);
      return allOf(
        judge(await http.send({ type: PROTOBUF, chunks, what: "a chunk a byte" }), fullSuccess),
        judgeRaw("a chunk with an extension, and a trailer", raw, fullSuccess),
      );
    },
  },
  {
    id: "http-expect",
    level: "MUST",
    spec: SPEC.expect,
    title: "Expect: 100-continue is answered with 100 or a final code before the body comes",
    run: async (http) => {
      const body = tracesBody();
      const headers: OutgoingHttpHeaders = { Expect: "100-continue" };
      const answer = await http.post(body, PROTOBUF, { headers });
      const sent = `${answer.sent}, ${answer.continued ? "100 came" : "no 100 came"}`;
      return judge({ ...answer, sent }, answer.continued ? fullSuccess : refused);
    },
  },
  {
    id: "http-header-case",
    level: "MUST",
    spec: SPEC.fieldNames,
    title: "the names of headers are case-insensitive",
    run: async (http) => {
      const body = tracesBody();
      const upper = typed(body).map((line) => line.replace(/^[^:]+/, (name) => name.toUpperCase()));
      const lower = typed(body).map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
      const [first] = await http.raw([http.head(upper), body]);
      const [second] = await http.raw([http.head(lower), body]);
      return allOf(
        judgeRaw("header names in capitals", first, fullSuccess),
        judgeRaw("header names in small letters", second, fullSuccess),
      );
    },
  },
  {
    id: "http-slow-bytes",
    level: "EXPECTED",
    spec: SPEC.httpRequest,
    title: "a request that arrives byte by byte is accepted",
    run: async (http) => {
      const body = tracesBody();
      const whole = Buffer.concat([http.head(typed(body)), body].map(toBuffer));
      const [answer] = await http.raw([...whole].map((byte) => Buffer.from([byte])));
      return judgeRaw("one byte a write", answer, fullSuccess);
    },
  },
  {
    id: "http-absolute-target",
    level: "MUST",
    spec: SPEC.requestTarget,
    title: "a request target in absolute form, as proxies may send it, is accepted",
    run: async (http) => {
      const body = tracesBody();
      const target = http.absolute("/v1/traces");
      const [answer] = await http.raw([http.head(typed(body), target), body]);
      return judgeRaw(`POST ${target.replace(/\/\/[^/]+/, "//HOST")}`, answer, fullSuccess);
    },
  },
  {
    id: "http-http2",
    level: "MAY",
    spec: "https://opentelemetry.io/docs/specs/otlp/#otlphttp",
    title: "HTTP/2 is spoken on the same port, without a negotiation",
    run: async (http) => judge(await http.sendHttp2(tracesBody()), fullSuccess),
  },
  {
    id: "http-garbage",
    level: "EXPECTED",
    spec: SPEC.malformedHttp,
    title: "what is no HTTP is refused with 400 or cut off, and others are served on",
    run: async (http) => {
      const [answer] = await http.raw(["what is this\r\n\r\n"]);
      const cut = { sent: "no HTTP", received: "the connection was closed", faults: [] };
      const finding = answer ? judgeRaw("no HTTP", answer, status(400)) : cut;
      return andAlive(http, finding);
    },
  },
  {
    id: "http-huge-head",
    level: "EXPECTED",
    spec: SPEC.malformedHttp,
    title: "a header of 4 MiB is refused or cut off, and others are served on",
    run: async (http) => {
      const line = `X-Padding: ${"x".repeat(HUGE_HEADER_CHARS)}`;
      const [answer] = await http.raw([http.head([...typed(Buffer.alloc(0)), line])]);
      const cut = { sent: "a header of 4 MiB", received: "the connection was closed", faults: [] };
      return andAlive(http, answer ? judgeRaw(cut.sent, answer, refused) : cut);
    },
  },
  {
    id: "http-cut-off",
    level: "EXPECTED",
    spec: SPEC.httpOther,
    title: "clients that vanish in the middle of a body leave nothing behind that harms others",
    run: async (http) => {
      const sent = "20 requests cut off in their bodies";
      await Promise.all(Array.from({ length: 20 }, () => vanish(http)));
      const answer = await http.post(tracesBody(), PROTOBUF);
      return judge({ ...answer, sent: `${sent}; then ${answer.sent}` }, fullSuccess);
    },
  },
  {
    id: "http-json-and-protobuf",
    level: "SHOULD",
    spec: SPEC.httpConnection,
    title: "one connection carries JSON and protobuf in turns",
    run: async (http) => {
      const agent = http.keepAlive();
      try {
        return allOf(
          judge(await http.post(tracesJson(), JSON_TYPE, { agent }), fullSuccess),
          judge(await http.post(tracesBody(), PROTOBUF, { agent }), fullSuccess),
          judge(await http.post(tracesJson(), JSON_TYPE, { agent }), fullSuccess),
        );
      } finally {
        agent.destroy();
      }
    },
  },
);

/** Sends half of a request and ends the connection. */
async function vanish(http: HttpEndpoint): Promise<void> {
  const body = tracesBody();
  const socket = await http.open();
  await new Promise<void>((resolve) => {
    socket.write(http.head(typed(body)));
    socket.write(body.subarray(0, body.length >> 1), () => resolve());
  });
  socket.destroy();
}

function toBuffer(part: string | Uint8Array): Buffer {
  return Buffer.from(part as string);
}
