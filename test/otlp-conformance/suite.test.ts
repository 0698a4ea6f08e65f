/** The suite is no rubber stamp: receivers that are wrong on purpose fail, and where they should. */
import { describe, expect, it } from "vitest";
import { SpanSink } from "./span-sink.ts";
import type { Result, Target } from "./suite.ts";
import { CASES, runCases } from "./suite.ts";
import type { WrongAnswer, WrongReceiver } from "./wrong-receivers.ts";
import {
  alwaysJson,
  emptyPartialSuccess,
  failsOnBadData,
  noToAll,
  partlyToAll,
  wrongGrpc,
  wrongHttp,
  yesToAll,
} from "./wrong-receivers.ts";

const MIB = 1024 ** 2;

/** Runs the cases whose ids start so, against a receiver, and stops it. */
async function failures(
  starting: Promise<WrongReceiver>,
  transport: "http" | "grpc",
  prefixes: readonly string[] = [""],
): Promise<Result[]> {
  const receiver = await starting;
  const sink = new SpanSink(1);
  await sink.listen("127.0.0.1", 0);
  const target: Target = {
    // Cases about the sink want an HTTP endpoint, too, even those that do not use it.
    http: receiver.url,
    ...(transport === "grpc" ? { grpc: receiver.url } : {}),
    sink,
    headers: {},
    oversizeBytes: MIB,
    timeoutMs: 20_000,
  };
  const cases = CASES.filter(({ id }) => prefixes.some((prefix) => id.startsWith(prefix)));
  const failed: Result[] = [];
  for await (const result of runCases(cases, target)) {
    if (result.outcome === "fail" || result.outcome === "absent") failed.push(result);
  }
  await Promise.all([receiver.stop(), sink.close()]);
  return failed;
}

async function failedIds(answer: WrongAnswer, ...prefixes: readonly string[]): Promise<string[]> {
  const failed = await failures(wrongHttp(answer), "http", prefixes);
  return failed.map(({ id }) => id);
}

const idsWith = (...prefixes: readonly string[]) =>
  CASES.map(({ id }) => id).filter((id) => prefixes.some((prefix) => id.startsWith(prefix)));

describe("The suite", () => {
  it("has no case over HTTP that passes whatever the answer is", async () => {
    const failed = await Promise.all(
      [yesToAll, noToAll, partlyToAll].map((answer) => failures(wrongHttp(answer), "http")),
    );
    const ids = new Set(failed.flat().map(({ id }) => id));
    const overHttp = idsWith("http-", "protobuf-", "json-", "data-");
    expect(overHttp.filter((id) => !ids.has(id))).toEqual([]);
  }, 240_000);

  it("has no case over gRPC that passes whatever the answer is", async () => {
    const [ok, unavailable] = [0, 14];
    const failed = await Promise.all(
      [ok, unavailable].map((code) => failures(wrongGrpc(code), "grpc", ["grpc-"])),
    );
    const ids = new Set(failed.flat().map(({ id }) => id));
    expect(idsWith("grpc-").filter((id) => !ids.has(id))).toEqual([]);
  }, 240_000);

  it("says what was sent, what came, and what is wrong with it", async () => {
    const failed = await failures(wrongHttp(yesToAll), "http", ["http-path-404"]);
    expect(failed).toMatchObject([
      {
        outcome: "fail",
        sent: expect.stringMatching(
          /^POST \/v1\/nothing-is-here, application\/x-protobuf, \d+ B$/,
        ) as string,
        received: "200, application/x-protobuf, no body",
        reason: "the code must be 404, not 200",
      },
    ]);
  });

  it("finds JSON answered to protobuf", async () => {
    expect(await failedIds(alwaysJson, "http-protobuf", "http-json")).toEqual([
      "http-protobuf-answer-type",
    ]);
  });

  it("finds 500 for bad data, in every case of it", async () => {
    const ids = await failedIds(failsOnBadData, "protobuf-bad-", "json-bad-text", "json-bad-trunc");
    expect(ids).toEqual(idsWith("protobuf-bad-", "json-bad-text", "json-bad-trunc"));
  }, 60_000);

  it("finds a partial_success that is there, though empty, and blames no other case for it", async () => {
    expect(await failedIds(emptyPartialSuccess, "http-protobuf", "http-json")).toEqual([
      "http-protobuf-partial-unset",
      "http-json-partial-unset",
    ]);
  });

  it("finds that acknowledged spans do not arrive", async () => {
    expect(await failedIds(yesToAll, "data-")).toEqual(idsWith("data-"));
  });

  it("ends a case that gets no answer, as failed", async () => {
    const receiver = await wrongHttp(() => {});
    const target = { http: receiver.url, headers: {}, oversizeBytes: MIB, timeoutMs: 50 };
    const results: Result[] = [];
    for await (const result of runCases(CASES.slice(0, 1), target)) results.push(result);
    await receiver.stop();
    expect(results).toMatchObject([{ outcome: "fail", reason: "no end after 0.05 s" }]);
  });
});
