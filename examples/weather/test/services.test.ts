import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../test/free-ports.ts";
import { ManagedProcess } from "../src/managed-process.ts";
import { trainForest } from "../src/temperature-forest.ts";
import { ensureArtifacts, trainingDays } from "../src/training.ts";
import { readWeather } from "../src/weather-data.ts";

const example = fileURLToPath(new URL("..", import.meta.url));
const dataFile = join(example, "data/weather.csv");
const folder = mkdtempSync(join(tmpdir(), "tidemark-weather-"));
const started: ManagedProcess[] = [];
let featureUrl = "";
const days = readWeather(dataFile);
const someDays = days.filter((_, index) => index % 97 === 0);
let forestSays: readonly number[] = [];

/** Starts a program of the example on a free port, and returns its URL. */
async function serve(program: string, env: Record<string, string> = {}) {
  const port = await freePort();
  const name = program.replaceAll("/", "-");
  const service = new ManagedProcess({
    name,
    args: [program],
    cwd: join(example, "services"),
    env: { PORT: String(port), ...env },
    logFile: join(folder, `${name}-${port}.log`),
  });
  started.push(service);
  const url = `http://127.0.0.1:${port}`;
  await service.ready(`${url}/healthz`);
  return { url, port, service };
}

async function ask(url: string, body: unknown) {
  const response = await fetch(`${url}/predict`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

beforeAll(async () => {
  ensureArtifacts(dataFile, folder);
  forestSays = trainForest(trainingDays(days)).predict(someDays);
  featureUrl = (await serve("feature-service/server.mjs")).url;
});
afterAll(async () => {
  await Promise.all(started.map((service) => service.stop()));
  rmSync(folder, { recursive: true });
});

describe("the feature service", () => {
  it("knows a day in a city", async () => {
    const response = await fetch(`${featureUrl}/features?location=New+York&date=2014-07-04`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      location: "New York",
      date: "2014-07-04",
      precipitation: 8.1,
      wind: 6.7,
      temp_min: 18.9,
      season: 2,
    });
  });

  it.each([
    ["?location=Seattle&date=2014-02-30", 404],
    ["?location=Paris&date=2014-03-01", 404],
    ["?location=Seattle", 400],
    ["", 400],
  ])("refuses %s", async (query, status) => {
    const response = await fetch(`${featureUrl}/features${query}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty("error");
  });
});

describe.each([
  ["CommonJS", "prediction-service/server.cjs"],
  ["ES modules", "prediction-service-esm/server.mjs"],
])("the prediction service in %s", (_, program) => {
  let url = "";
  let port = 0;
  let service: ManagedProcess;
  const env = { WEATHER_MODEL: join(folder, "weather.onnx") };

  beforeAll(async () => {
    ({ url, port, service } = await serve(program, { ...env, FEATURE_SERVICE_URL: featureUrl }));
  });

  it("answers what the forest says, to a tenth of a degree", async () => {
    for (const [index, { location, date }] of someDays.entries()) {
      const answer = await ask(url, { location, date });
      expect(answer.status).toBe(200);
      const temperature = answer.body["temp_max"] as number;
      expect(Math.abs(temperature - (forestSays[index] ?? 0))).toBeLessThan(0.0501);
    }
  });

  it.each([
    ["an unknown day", { location: "Seattle", date: "2035-01-01" }, 404],
    ["an unknown place", { location: "Paris", date: "2014-03-01" }, 404],
    ["an empty place", { location: "", date: "2014-03-01" }, 400],
    ["no date", { location: "Seattle" }, 400],
    ["null", null, 400],
    ["no JSON", "{", 400],
    ["nothing", "", 400],
    ["too much", "x".repeat(200_000), 413],
  ])("refuses %s and goes on", async (_what, body, status) => {
    const refused = await ask(url, body);
    expect(refused.status).toBe(status);
    expect(refused.body["error"]).toMatch(/\w/);
    expect((await ask(url, { location: "Seattle", date: "2014-03-01" })).status).toBe(200);
    expect(service.running).toBe(true);
  });

  it("survives a caller that goes away in the middle of its request", async () => {
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write('POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"loc');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await ask(url, { location: "Seattle", date: "2014-03-01" })).status).toBe(200);
    expect(service.running).toBe(true);
  });

  it("says 502 while the feature service is away", async () => {
    const gone = await freePort();
    const lonely = await serve(program, {
      ...env,
      FEATURE_SERVICE_URL: `http://127.0.0.1:${gone}`,
    });
    const answer = await ask(lonely.url, { location: "Seattle", date: "2014-03-01" });
    expect(answer).toEqual({ status: 502, body: { error: expect.stringContaining("feature") } });
  });

  it("ends when it is told to", async () => {
    await service.stop();
    expect(service.running).toBe(false);
  });
});
