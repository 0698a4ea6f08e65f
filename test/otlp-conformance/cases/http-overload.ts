/** Overload over HTTP, as far as a client alone can cause it: many large bodies begun at once. */
import type { Socket } from "node:net";
import { allOf, httpCases } from "../conformance-case.ts";
import type { HttpEndpoint } from "../http-endpoint.ts";
import { PROTOBUF } from "../http-endpoint.ts";
import type { AnyHttpAnswer } from "../http-expectations.ts";
import { isStatus, judge, judgeRaw, status } from "../http-expectations.ts";
import type { RawAnswer } from "../raw-answers.ts";
import { parseAnswers } from "../raw-answers.ts";
import { tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const OPEN_BODIES = 64;
/** Large enough to be worth a reservation, and within every recommended limit. */
const ANNOUNCED_BYTES = 15 * 1024 ** 2;
const BEGUN = Buffer.alloc(1000);
/** An endpoint may take a moment to notice that clients have gone: twenty times 100 ms. */
const RECOVERY_ATTEMPTS = 20;
const RECOVERY_PAUSE_MS = 100;
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const SENT = `${OPEN_BODIES} bodies of 15 MiB begun at once`;

/** What a server under load says. */
export const httpOverload = httpCases(
  {
    id: "http-overload",
    level: "SHOULD",
    spec: SPEC.httpThrottling,
    title: "64 bodies of 15 MiB at once are waited for, or refused with 429 or 503 and a Status",
    run: async (http) => {
      const { early, beside } = await underLoad(http);
      return allOf(
        judge({ ...beside, sent: `${SENT}, and a small request` }, servedOrThrottled),
        ...early.map((answer) => judgeRaw(SENT, answer, throttled)),
      );
    },
  },
  {
    id: "http-overload-over",
    level: "EXPECTED",
    spec: SPEC.httpThrottling,
    title: "when those clients have gone, ordinary requests are served again",
    run: async (http) => {
      await underLoad(http);
      for (let attempt = 1; ; attempt++) {
        const answer = await http.post(tracesBody(), PROTOBUF);
        if (answer.status !== 200 && attempt < RECOVERY_ATTEMPTS) await pause();
        else return judge({ ...answer, sent: `${SENT}, cut off; then one` }, status(200));
      }
    },
  },
  {
    id: "http-retry-after",
    level: "MAY",
    spec: SPEC.httpThrottling,
    title: "an answer that asks for a retry says when, in Retry-After",
    run: async (http) => {
      const { early, beside } = await underLoad(http);
      const asking = [...early, beside].filter((answer) => RETRYABLE.has(answer.status));
      if (asking.length > 0) {
        return allOf(...asking.map((answer) => judgeRaw(SENT, answer, retryAfter)));
      }
      const skipped = "nothing that was tried got it overloaded";
      return { sent: SENT, received: `${early.length} answers`, faults: [], skipped };
    },
  },
);

/** What came before the bodies were complete, and what a small request beside them got. */
async function underLoad(http: HttpEndpoint) {
  const head = http.head([`Content-Type: ${PROTOBUF}`, `Content-Length: ${ANNOUNCED_BYTES}`]);
  const sockets = await Promise.all(Array.from({ length: OPEN_BODIES }, () => http.open()));
  try {
    const received = sockets.map(collect);
    for (const socket of sockets) socket.write(Buffer.concat([Buffer.from(head, "latin1"), BEGUN]));
    const beside = await http.post(tracesBody(), PROTOBUF);
    // Another round trip, so that answers to the others have had the time to arrive.
    await http.post(tracesBody(), PROTOBUF);
    const early = received.flatMap((parts): RawAnswer[] => parseAnswers(Buffer.concat(parts)));
    return { early, beside };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function collect(socket: Socket): Buffer[] {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  return parts;
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, RECOVERY_PAUSE_MS);
  });
}

function servedOrThrottled(answer: AnyHttpAnswer): string | undefined {
  return answer.status === 200 ? undefined : throttled(answer);
}

function throttled(answer: AnyHttpAnswer): string | undefined {
  if (answer.status === 429 || answer.status === 503) return isStatus(answer);
  // An endpoint with a lower limit on sizes may say so at once.
  if (answer.status === 413) return isStatus(answer);
  return `the code must be 429 or 503, not ${answer.status}`;
}

function retryAfter({ headers }: AnyHttpAnswer): string | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return "there is no Retry-After";
  const readable = /^\d+$/.test(value) || !Number.isNaN(Date.parse(value));
  return readable ? undefined : `Retry-After is ${value}`;
}
