import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifier, regressor, withText, writeModel } from "./onnx-models.js";
import type { SinkSpan } from "./otlp-sink.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, NODES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "onnxruntime");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
let models = "";

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "tidemark-"));
  const at = (name: string) => join(models, `${name}.onnx`);
  const iris = {
    modelVersion: 7,
    props: { feature_names: '["sepal","petal"]', class_names: "a, b,c" },
  };
  writeModel(at("iris"), classifier(iris));
  writeModel(
    at("declared"),
    classifier({ modelVersion: 7, props: { name: "declared", run_id: "r1" } }),
  );
  writeModel(at("silent"), regressor());
  writeModel(at("with-text"), withText());
  writeModel(at("hashed"), withText());
  writeModel(at("broken"), regressor().subarray(0, 100));
});

afterAll(() => rmSync(models, { recursive: true }));

describe.each(versions)("on Node %i", (node) => {
  let spans: SinkSpan[] = [];
  let stderr = "";

  beforeAll(async () => {
    const sink = await startSink();
    const env = { ...toSink(sink.url), MODELS: models, TIDEMARK_HASH_KEY: "key" };
    const result = await runApp("app.mjs", { node, cwd, env });
    await sink.close();
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: "done\n" });
    ({ stderr } = result);
    spans = sink.spans().filter(({ scope }) => scope === "@tidemark/instrumentation");
  });

  const attributes = (index: number) => spans[index]?.attributes ?? {};

  test("there is one span for every run", () => {
    const names = spans.map(({ name }) => name.replace("inference ", ""));
    expect(names.slice(0, 7)).toEqual([
      "iris",
      "iris",
      "declared",
      "declared",
      "silent",
      "silent",
      "with-text",
    ]);
    expect(names.slice(7)).toEqual(["silent", "silent", "silent", "silent", "hashed"]);
  });

  test("a batch becomes arrays; what is missing is named once for each row", () => {
    expect(attributes(0)).toMatchObject({
      "ml.model.name": "iris",
      "ml.model.version": "7",
      "ml.task": "classification",
      "ml.batch.size": 3,
      "ml.feature.sepal": [2, 0],
      "ml.feature.petal": [0, 5, 2],
      "ml.feature.missing": ["sepal"],
      "ml.prediction.class": ["a", expect.any(String), "b"],
      "ml.input.shape.x": "3x2",
      "ml.output.shape.label": "3",
      "ml.output.shape.probabilities": "3x3",
    });
    const confidence = attributes(0)["ml.prediction.confidence"] as number[];
    // Softmax of (2, 0, -2) and of (0, 2, -2); the row with a missing value has none.
    expect(confidence).toHaveLength(2);
    for (const value of confidence) expect(value).toBeCloseTo(0.8668, 4);
  });

  test("without a label the class is the most probable one", () => {
    expect(attributes(1)).toMatchObject({
      "ml.batch.size": 1,
      "ml.feature.sepal": 2,
      "ml.prediction.class": "a",
      "ml.prediction.confidence": expect.closeTo(0.8668, 4) as number,
    });
  });

  test("what is declared holds, for a model from bytes too", () => {
    for (const index of [2, 3]) {
      expect(attributes(index)).toMatchObject({
        "ml.model.name": "declared",
        "ml.model.version": "9",
        "ml.model.run_id": "r1",
        "ml.task": "ranking",
        "ml.feature.petal": 3,
        "ml.prediction.class": "green",
      });
      const scores = ["red", "green", "blue"].map(
        (name) => attributes(index)[`ml.prediction.scores.${name}`] as number,
      );
      expect(scores[0]! + scores[1]! + scores[2]!).toBeCloseTo(1, 5);
      expect(scores[1]).toBe(attributes(index)["ml.prediction.confidence"]);
    }
    expect(Object.keys(attributes(0)).filter((key) => key.includes("scores"))).toEqual([]);
  });

  test("text that is to be joined but not read is a keyed hash", () => {
    const hash = createHmac("sha256", "key").update("sunny").digest("hex").slice(0, 24);
    expect(attributes(11)["ml.feature.note"]).toEqual([hash, expect.not.stringContaining("rain")]);
  });

  test("a file that says nothing is named after itself, its columns after the input", () => {
    expect(attributes(4)).toMatchObject({
      "ml.model.name": "silent",
      "ml.feature.features_0": 1,
      "ml.feature.features_2": 3,
      "ml.prediction.value": 30.5,
      "ml.task": "regression",
    });
    expect(attributes(4)).not.toHaveProperty("ml.model.version");
    expect(attributes(4)).not.toHaveProperty("ml.feature.features_3");
  });

  test("a large batch is sampled, features and predictions by the same rows", () => {
    const first = attributes(5)["ml.feature.features_0"] as number[];
    const values = attributes(5)["ml.prediction.value"] as number[];
    expect(attributes(5)["ml.batch.size"]).toBe(1000);
    expect([first.length, values.length]).toEqual([50, 50]);
    // With x = (4i, 4i+1, 4i+2, 4i+3) the model's value is 10 * 4i + 20.5.
    expect(values).toEqual(first.map((value) => 10 * value + 20.5));
  });

  test("text is a category where it is declared one", () => {
    expect(attributes(6)).toMatchObject({
      "ml.feature.note": ["sunny", "rainy"],
      "ml.prediction.class": ["sunny", "rainy"],
    });
    expect(attributes(6)).not.toHaveProperty("ml.feature.a");
    expect(attributes(6)).not.toHaveProperty("ml.prediction.value");
  });

  test("a failed run is an error in the runtime's words", () => {
    expect(spans[7]).toMatchObject({ error: true });
    expect(spans[7]?.statusMessage).toMatch(/invalid dimensions/);
    expect(spans[8]).toMatchObject({ error: true, attributes: { "error.type": "Error" } });
    expect(attributes(7)).not.toHaveProperty("ml.prediction.value");
  });

  test("waiting for the event loop is told apart from computing", () => {
    const [waited, direct] = [9, 10].map(
      (index) => attributes(index)["ml.inference.queue.duration"],
    );
    expect(waited).toBeGreaterThan(0.45);
    expect(direct).toBeGreaterThan(0);
    expect(direct).toBeLessThan(0.45);
  });

  test("nothing is said of models that the runtime refuses, or only once", () => {
    expect(stderr).toBe("");
  });
});
