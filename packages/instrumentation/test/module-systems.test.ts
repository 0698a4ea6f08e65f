import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { regressor, writeModel } from "./onnx-models.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, NODES, REGISTER, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "apps");
let models = "";

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "tidemark-"));
  const props = { model_name: "weather", model_version: "3" };
  writeModel(join(models, "weather.onnx"), regressor({ props }));
});

afterAll(() => rmSync(models, { recursive: true }));

const APPS = [
  "app.cjs",
  "app.mjs",
  "dynamic.cjs",
  "worker.mjs",
  "esm-imports-cjs.mjs",
  "cjs-requires-esm.cjs",
];
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];

describe.each(versions)("on Node %i", (node) => {
  test.each(APPS)("--require records every stage of %s", async (file) => {
    await expectAllStages(file, { node });
  });

  test("--import does the same for an app of ES modules", async () => {
    await expectAllStages("app.mjs", { node, flags: ["--import", REGISTER] });
  });

  test("without synchronous loader hooks the older ones do", async () => {
    const flags = ["--require", join(FIXTURES, "no-sync-hooks.cjs"), "--require", REGISTER];
    await expectAllStages("app.mjs", { node, flags: [...flags, "--no-deprecation"] });
  });
});

async function expectAllStages(file: string, options: Parameters<typeof runApp>[1]) {
  const sink = await startSink();
  const env = { ...toSink(sink.url), MODELS: models };
  const { stderr, stdout, code } = await runApp(file, { ...options, cwd, env });
  await sink.close();
  expect({ stdout, code }, stderr).toEqual({ stdout: "[30.5]\n", code: 0 });
  expect(stderr.split("\n").filter((line) => !/was never loaded/.test(line))).toEqual([""]);
  const spans = sink.spans();
  expect(spans.map(({ name }) => name)).toEqual([
    "feature_retrieval store",
    "preprocessing weather",
    "inference weather",
    "postprocessing weather",
    "prediction weather",
  ]);
  const parent = spans.at(-1);
  for (const span of spans.slice(0, -1)) {
    expect(span).toMatchObject({ traceId: parent?.traceId, parentSpanId: parent?.spanId });
  }
  expect(spans[2]?.attributes).toMatchObject({
    "ml.stage": "inference",
    "ml.model.name": "weather",
    "ml.model.version": "3",
    "ml.model.framework": "onnxruntime",
    "ml.task": "regression",
    "ml.batch.size": 1,
    "ml.feature.precipitation": 1,
    "ml.feature.season": 4,
    "ml.prediction.value": 30.5,
    "ml.input.shape.features": "1x4",
    "ml.output.shape.temp_max": "1x1",
    "ml.segment.region": "north",
    "ml.tenant": "acme",
    "ml.prediction.id": "p-1",
  });
  expect(spans[3]?.attributes).toMatchObject({ "ml.model.version": "3", "ml.tenant": "acme" });
}
