/** The conformance suite against the real Collector: it fails where known, and the README tells it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCollectorUnderTest } from "../otlp-conformance/collector-under-test.ts";
import { COLLECTOR_DIFFERENCES, surprises } from "../otlp-conformance/known-differences.ts";
import { COLLECTOR, columnOf, HOW_TO_WRITE, readReadme } from "../otlp-conformance/readme-table.ts";
import type { ReceiverUnderTest } from "../otlp-conformance/receiver-under-test.ts";
import type { Result } from "../otlp-conformance/suite.ts";
import { CASES, runCases } from "../otlp-conformance/suite.ts";

describe("The Collector under the conformance suite", () => {
  let collector: ReceiverUnderTest;
  const results: Result[] = [];

  beforeAll(async () => {
    collector = await startCollectorUnderTest();
    for await (const result of runCases(CASES, collector.target)) results.push(result);
  });
  afterAll(() => collector.stop());

  it("meets OTLP but for the differences that known-differences.ts explains", () => {
    expect(surprises(results, COLLECTOR_DIFFERENCES)).toEqual([]);
  });

  it("does what the README's table says", () => {
    const outcomes = Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]));
    expect(columnOf(readReadme().text, COLLECTOR), HOW_TO_WRITE).toEqual(outcomes);
  });
});
