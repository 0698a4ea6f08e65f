import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { regressor, tokens, wide, withText, writeModel } from "./onnx-models.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, REGISTER, runApp, toSink } from "./run-app.js";

const PLANTED = "planted-7f3a-secret";
const AGE = "4242.5";
const cwd = join(FIXTURES, "secrets");
let models = "";

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "tidemark-"));
  writeModel(join(models, "weather.onnx"), regressor());
  writeModel(join(models, "text.onnx"), withText());
  writeModel(join(models, "tokens.onnx"), tokens("sequence"));
  writeModel(join(models, "fixed.onnx"), tokens(2));
  writeModel(join(models, "wide.onnx"), wide());
});

afterAll(() => rmSync(models, { recursive: true }));

async function run(protocol: string) {
  const sink = await startSink();
  const result = await runApp("app.mjs", {
    cwd,
    flags: ["--require", REGISTER, `--title=${PLANTED}`],
    env: {
      ...toSink(sink.url),
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      MODELS: models,
      PLANTED,
      AGE,
    },
  });
  await sink.close();
  expect(result, result.stderr).toMatchObject({ code: 0, stdout: "true\n", stderr: "" });
  return sink;
}

test.each(["http/json", "http/protobuf"])(
  "no planted secret leaves the process as %s",
  async (protocol) => {
    const sink = await run(protocol);
    const exported = Buffer.concat(sink.bodies);
    const holds = (what: string | Uint8Array) => exported.indexOf(what) >= 0;
    expect(holds("inference weather")).toBe(true);
    expect(holds(PLANTED)).toBe(false);
    expect(holds("987654321")).toBe(false);
    expect(holds(doubleBytes(Number(AGE)))).toBe(false);
    expect(holds(AGE)).toBe(false);
  },
);

test("what is no secret is recorded all the same", async () => {
  const spans = (await run("http/json")).spans();
  const named = (name: string) => spans.filter((span) => span.name === name);
  expect(named("feature_retrieval store")[0]?.attributes).toMatchObject({
    "ml.segment.region": "north",
  });
  expect(named("preprocessing")[0]).toMatchObject({ error: true });
  const [text, failed] = named("inference text");
  expect(text?.attributes).toMatchObject({ "ml.feature.a": 1, "ml.prediction.value": 1 });
  expect(text?.attributes).not.toHaveProperty("ml.prediction.class");
  expect(failed?.error).toBe(true);
  expect(failed?.statusMessage).toBeFalsy();
  for (const name of ["tokens", "fixed", "wide"]) {
    const keys = Object.keys(named(`inference ${name}`)[0]?.attributes ?? {});
    expect(keys).toContain("ml.batch.size");
    expect(keys.filter((key) => /^ml\.(?:feature|prediction)\./.test(key))).toEqual([]);
  }
  const [weather] = named("inference weather");
  expect(weather?.attributes).toMatchObject({ "ml.feature.wind": 2 });
  expect(weather?.attributes).not.toHaveProperty("ml.feature.age");
});

test("the default protocol is protobuf", async () => {
  const sink = await startSink();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
  await runApp("natural.mjs", { cwd: join(FIXTURES, "exits"), env });
  await sink.close();
  expect(sink.contentTypes).toEqual(["application/x-protobuf"]);
  expect(sink.bodies[0]?.includes("prediction exits")).toBe(true);
});

function doubleBytes(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}
