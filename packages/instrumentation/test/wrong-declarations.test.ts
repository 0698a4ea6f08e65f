import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { classifier, regressor, writeModel } from "./onnx-models.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "wrong-models");
let models = "";

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "tidemark-"));
  writeModel(join(models, "weather.onnx"), regressor());
  writeModel(join(models, "iris.onnx"), classifier());
});

afterAll(() => rmSync(models, { recursive: true }));

async function run(calls: number) {
  const sink = await startSink();
  const env = { ...toSink(sink.url), MODELS: models, CALLS: String(calls) };
  const result = await runApp("app.mjs", { cwd, env });
  await sink.close();
  expect(result, result.stderr).toMatchObject({ code: 0, stdout: "done\n" });
  return { lines: result.stderr.trimEnd().split("\n"), spans: sink.spans() };
}

test("what a declaration says of a model and is not so, is told in one line each", async () => {
  const { lines, spans } = await run(3);
  const predict = join(cwd, "predict.mjs");
  expect(lines).toEqual([
    'tidemark: model weather: it has no input "featurse"; its inputs are: features',
    'tidemark: model weather: it has no output "temp"; its outputs are: temp_max',
    'tidemark: model weather: input "features" has 4 columns, but 3 names',
    'tidemark: model weather: input "features": the column "source" is not recorded, because ' +
      'ml.feature.source means something else; give it another name with "columns"',
    'tidemark: model weather: sensitive: no column is called "age"; there are: wind, source, ' +
      "rain, features_3",
    `tidemark: ${predict} predict: segment.site: args[9].site led to no text, number or boolean ` +
      "in any of 3 calls; check the path",
    `tidemark: ${predict} predict: predictionId: result.nope led to no text, number or boolean ` +
      "in any of 3 calls; check the path",
    'tidemark: models[1]: no model called "wether" was loaded; loaded were: weather, iris',
  ]);
  const keys = Object.keys(
    spans.find(({ name }) => name === "inference weather")?.attributes ?? {},
  );
  expect(keys.filter((key) => key.startsWith("ml.feature."))).toEqual([
    "ml.feature.wind",
    "ml.feature.features_3",
  ]);
});

test("a server that never ends is told of a path that leads nowhere", async () => {
  const { lines } = await run(250);
  expect(lines.filter((line) => line.includes("in any of 100 calls"))).toHaveLength(2);
});
