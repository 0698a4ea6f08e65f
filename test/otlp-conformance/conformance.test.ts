/** Tidemark's receiver against the suite: what it does not meet is listed here, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { surprises, TIDEMARK_DIFFERENCES } from "./known-differences.ts";
import { columnOf, HOW_TO_WRITE, readReadme, TIDEMARK } from "./readme-table.ts";
import type { ReceiverUnderTest } from "./receiver-under-test.ts";
import { startReceiverUnderTest } from "./receiver-under-test.ts";
import type { Result } from "./suite.ts";
import { CASES, runCases } from "./suite.ts";

let receiver: ReceiverUnderTest;
const results: Result[] = [];

beforeAll(async () => {
  receiver = await startReceiverUnderTest();
  for await (const result of runCases(CASES, receiver.target)) results.push(result);
}, 300_000);
afterAll(() => receiver.stop());

describe("Tidemark's receiver", () => {
  it("meets all of OTLP that the suite asks for", () => {
    expect(surprises(results, TIDEMARK_DIFFERENCES)).toEqual([]);
  });

  it("does what the README's table says", () => {
    const outcomes = Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]));
    expect(columnOf(readReadme().text, TIDEMARK), HOW_TO_WRITE).toEqual(outcomes);
  });

  it("has been asked everything that it could be, over HTTP, over gRPC and to the sink behind it", () => {
    const skipped = results.filter(({ outcome }) => outcome === "skipped");
    expect(skipped.map(({ id, reason }) => [id, reason])).toEqual([]);
  });
});

describe("The suite", () => {
  it("gives every case an id of its own, a link and a claim", () => {
    const ids = CASES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, spec, title } of CASES) {
      expect(id).toMatch(/^(?:http|grpc|protobuf|json|data)-[a-z0-9-]+$/);
      expect(spec).toMatch(/^https:\/\//);
      expect(title.length, id).toBeLessThanOrEqual(100);
    }
  });
});
