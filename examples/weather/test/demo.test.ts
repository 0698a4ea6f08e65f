import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WriteStream } from "node:tty";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { HELP, readOptions, UsageError } from "../src/demo-options.ts";
import { Narrator } from "../src/narrator.ts";
import { choosePorts, takenPorts } from "../src/ports.ts";
import { receiverConfig } from "../src/receiver-config.ts";
import { spread } from "../src/replay.ts";
import { verdictTable } from "../src/verdict-table.ts";
import type { Verdict } from "../src/verdicts.ts";
import { complaints } from "../src/verdicts.ts";
import { readWeather } from "../src/weather-data.ts";

const example = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tidemark-weather-"));
afterAll(() => rmSync(folder, { recursive: true }));

function verdict(signal: string, state: string, liveCount = 1461): Verdict {
  const numbers = { statistic: 0.4362789, threshold: 0.2415, pValue: 2.17e-48 };
  const sentence = `${signal}: it is windier`;
  const of = { model: "weather", version: "1", windowStartMs: 0, method: "ks" };
  return { ...of, ...numbers, signal, state, liveCount, psi: { value: 1.2211 }, sentence };
}

describe("the command line", () => {
  it("has defaults", () => {
    expect(readOptions([], {})).toEqual({
      help: false,
      json: false,
      keep: false,
      variant: "cjs",
      ports: { prediction: 8080, feature: 8081, otlp: 4318, admin: 9464 },
      tracesUrl: undefined,
      metricsUrl: undefined,
    });
  });

  it("takes every option that its help names", () => {
    const named = [...HELP.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    expect(named).toEqual(["variant", "keep", "json", "port-base", "help"]);
    const args = ["--variant", "esm", "--keep", "--json", "--port-base", "9000", "--help"];
    const env = { TIDEMARK_DEMO_FORWARD: "http://jaeger:4318", TIDEMARK_DEMO_METRICS: "" };
    expect(readOptions(args, env)).toEqual({
      help: true,
      json: true,
      keep: true,
      variant: "esm",
      ports: { prediction: 9000, feature: 9001, otlp: 9002, admin: 9003 },
      tracesUrl: "http://jaeger:4318",
      metricsUrl: undefined,
    });
  });

  it.each([
    [["--variant", "amd"], /--variant amd: there are cjs and esm/],
    [["--port-base", "65533"], /--port-base 65533: must be a whole number/],
    [["--port-base", "x"], /--port-base x/],
    [["--window"], /--window/],
    [["now"], /now/],
  ])("refuses %j", (args, message) => {
    expect(() => readOptions(args, {})).toThrow(UsageError);
    expect(() => readOptions(args, {})).toThrow(message);
  });

  it("refuses a destination that is no URL", () => {
    const env = { TIDEMARK_DEMO_METRICS: "localhost:9090" };
    expect(() => readOptions([], env)).toThrow(/TIDEMARK_DEMO_METRICS=localhost:9090/);
  });
});

describe("ports", () => {
  it("that something else listens on are named", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await takenPorts({ ...choosePorts(undefined), feature: port })).toContain(port);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("the receiver's configuration", () => {
  const base = join(example, "tidemark.yaml");
  const cli = fileURLToPath(new URL("cli.js", import.meta.resolve("@tidemark/receiver")));
  const tidemark = (args: readonly string[], env = {}) =>
    promisify(execFile)(process.execPath, [cli, ...args], { env: { ...process.env, ...env } });

  it.each([
    ["nowhere", undefined, undefined, 0],
    ["to Jaeger", "http://127.0.0.1:14318", undefined, 1],
    ["to Prometheus", undefined, "http://127.0.0.1:9090/api/v1/otlp", 1],
    ["to both", "http://127.0.0.1:14318", "http://127.0.0.1:9090/api/v1/otlp", 2],
  ])("is one that the receiver takes when it sends %s", async (_, tracesUrl, metricsUrl, count) => {
    const csv = join(folder, "training.csv");
    const reference = join(folder, "weather.tidemark.json");
    writeFileSync(csv, "wind\n1\n2\n3\n");
    await tidemark(["baseline", "build", csv, "--model", "weather", "--out", reference]);
    const composed = join(folder, "tidemark.yaml");
    const file = receiverConfig(base, composed, { tracesUrl, metricsUrl });
    expect(file === base).toBe(count === 0);
    const text = readFileSync(file, "utf8");
    expect(text.match(/^ {2}otlp_http\//gm) ?? []).toHaveLength(count);
    expect(text).toContain("# The demo's receiver.");
    const checked = await tidemark(["check-config", file], { TIDEMARK_DEMO_REFERENCE: reference });
    expect(checked.stdout).toContain("can be used (1 reference files)");
  });
});

describe("what is told", () => {
  it("is a line for each quarter where no terminal is", () => {
    const written: string[] = [];
    const out = { isTTY: false, write: (text: string) => written.push(text) };
    const progress = new Narrator(out as unknown as WriteStream).progress("Seattle", 730);
    for (let done = 1; done <= 730; done++) progress(done);
    const quarters = [183, 365, 548, 730].map((done) => `  Seattle: ${done} of 730\n`);
    expect(written).toEqual(quarters);
  });

  it("is a table, and a sentence for each signal that drifted", () => {
    const table = verdictTable([
      verdict("feature.wind", "drifted"),
      { ...verdict("feature.season", "stable"), statistic: 0.001, pValue: 1 },
    ]);
    expect(table).toEqual([
      "signal          values   KS D  limit        p    PSI  verdict",
      "feature.wind      1461  0.436  0.241  2.2e-48  1.221  drifted",
      "feature.season    1461  0.001  0.241        1  1.221  stable",
      "  feature.wind: it is windier",
    ]);
  });
});

describe("what is expected", () => {
  const expected = {
    count: 1461,
    drifted: ["feature.wind"],
    notDrifted: ["feature.precipitation"],
  } as const;

  it("is no complaint", () => {
    const seen = [verdict("feature.wind", "drifted"), verdict("feature.precipitation", "stable")];
    expect(complaints("New York", seen, expected)).toEqual([]);
  });

  it.each([
    [verdict("feature.wind", "stable"), "New York: feature.wind is stable, and must be drifted"],
    [
      verdict("feature.wind", "insufficient"),
      "New York: feature.wind is insufficient, and must be drifted",
    ],
    [
      verdict("feature.precipitation", "drifted"),
      "New York: feature.precipitation is drifted, and must not be",
    ],
    [
      verdict("prediction.value", "stable", 1460),
      "New York: prediction.value has 1460 values, not the 1461 sent",
    ],
  ])("is missed by %j", (seen, complaint) => {
    expect(complaints("New York", [seen], expected)).toEqual([complaint]);
  });
});

describe("the warm-up", () => {
  it("takes days from every season alike", () => {
    const days = readWeather(join(example, "data/weather.csv")).slice(0, 1461);
    const months = spread(days, 64).map(({ date }) => date.slice(5, 7));
    expect(months).toHaveLength(64);
    expect(new Set(months).size).toBe(12);
    expect(months.filter((month) => ["06", "07", "08"].includes(month)).length).toBe(16);
  });
});
