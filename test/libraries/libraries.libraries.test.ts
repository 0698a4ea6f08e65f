import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SinkSpan } from "../../packages/instrumentation/test/otlp-sink.js";
import { NODES, REGISTER } from "../../packages/instrumentation/test/run-app.js";
import { ENDS, makeModels, runLibrary } from "./run-library.js";

const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
const programs = ["transformers", "tfjs", "onnxruntime-node", "onnxruntime-web"];
const files = programs.flatMap((program) => [`${program}.cjs`, `${program}.mjs`]);
let models: ReturnType<typeof makeModels>;

beforeAll(() => {
  models = makeModels();
});
afterAll(() => models.remove());

const brief = ({ name, attributes, error }: SinkSpan) => [
  name,
  attributes["ml.batch.size"],
  attributes["ml.prediction.class"] ?? attributes["ml.prediction.value"],
  ...(error ? ["error"] : []),
];

/** Names of the spans below each one, in the order in which they began. */
function childrenOf(spans: readonly SinkSpan[], parent: SinkSpan | undefined) {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent?.spanId)
    .map(({ name }) => name);
}

describe.each(ENDS)("with the %s versions", (end) => {
  describe.each(files)("%s", (file) => {
    test("returns bit by bit what it returns without us", async () => {
      const plain = await runLibrary(end, file, models.folder, { flags: [] });
      expect(plain, plain.stderr).toMatchObject({ code: 0 });
      const { stdout, code, stderr, spans } = await runLibrary(end, file, models.folder);
      expect({ stdout, code }, stderr).toEqual({ stdout: plain.stdout, code: 0 });
      expect(stderr).toBe(plain.stderr);
      expect(spans.length).toBeGreaterThan(0);
    });

    test("returns it although every hook of ours throws", async () => {
      const plain = await runLibrary(end, file, models.folder, { flags: [] });
      const sabotage = fileURLToPath(new URL("fixtures/sabotage.cjs", import.meta.url));
      const flags = ["--require", REGISTER, "--require", sabotage];
      const { stdout, code, stderr } = await runLibrary(end, file, models.folder, { flags });
      expect({ stdout, code }, stderr).toEqual({ stdout: plain.stdout, code: 0 });
      expect(stderr).toMatch(/tidemark: .* failed, the app is not affected: sabotage of /);
    });
  });

  describe.each(versions)("on Node %i", (node) => {
    test.each(["transformers.cjs", "transformers.mjs"])("%s has its stages", async (file) => {
      const { spans } = await runLibrary(end, file, models.folder, { node });
      const predictions = spans.filter(({ name }) => name.startsWith("prediction "));
      expect(predictions.map(brief)).toEqual([
        ["prediction classifier", 1, "POSITIVE"],
        ["prediction classifier", 3, ["POSITIVE", "NEGATIVE", "NEGATIVE"]],
        ["prediction classifier", 1, "POSITIVE"],
        ["prediction classifier", 1, undefined, "error"],
        ["prediction decoder", 1, undefined],
        ["prediction decoder", 1, undefined],
      ]);
      const confidence = predictions[1]?.attributes["ml.prediction.confidence"] as number[];
      expect(confidence[0]).toBeCloseTo(0.9526, 4);
      expect(confidence[1]).toBeCloseTo(0.9975, 4);
      expect(childrenOf(spans, predictions[1])).toEqual([
        "preprocessing classifier",
        "inference classifier",
        "postprocessing classifier",
      ]);
      expect(childrenOf(spans, predictions[4])).toEqual([
        "preprocessing decoder",
        "inference decoder",
        "postprocessing decoder",
      ]);
      // Without a pipeline: the tokenizer, then the model, whose logits are the prediction.
      const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
      expect(roots.map(brief)).toContainEqual(["preprocessing", 2, undefined]);
      expect(roots.map(brief)).toContainEqual([
        "inference classifier",
        2,
        ["POSITIVE", "NEGATIVE"],
      ]);
      const generations = spans.filter(({ name }) => name === "inference decoder");
      expect(generations[0]?.attributes).toMatchObject({
        "gen_ai.usage.input_tokens": 2,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.response.time_to_first_chunk": expect.any(Number) as number,
        "gen_ai.client.operation.time_per_output_chunk": expect.any(Number) as number,
      });
      expect(generations[1]?.attributes).toMatchObject({ "gen_ai.usage.output_tokens": 3 });
      expect(generations).toHaveLength(2);
    });

    test.each(["tfjs.cjs", "tfjs.mjs"])("%s has an inference each", async (file) => {
      const { spans } = await runLibrary(end, file, models.folder, { node });
      const inferences = spans.filter(({ scope }) => scope === "@tidemark/instrumentation");
      expect(inferences.map(brief)).toEqual([
        ["inference iris", 1, "0"],
        ["inference iris", 3, ["0", "1"]],
        ["inference iris", 2, ["0", "0"]],
        ["inference iris", 1, undefined, "error"],
        ["inference temperature", 1, 12.5],
        ["inference tensorflow", 2, [7, 7]],
        ["inference tensorflow", 1, 7],
        ["inference tensorflow", 1, 7],
      ]);
    });

    test.each(["node", "web"])("onnxruntime-%s has an inference each", async (kind) => {
      const file = `onnxruntime-${kind}.mjs`;
      const { spans } = await runLibrary(end, file, models.folder, { node });
      const inferences = spans.filter(({ scope }) => scope === "@tidemark/instrumentation");
      expect(inferences.map(brief)).toEqual([
        ["inference weather", 1, 20.5],
        ["inference weather", 3, [20.5, 60.5, 100.5]],
        ["inference weather", 0, undefined, "error"],
      ]);
    });
  });

  test("no word that a model was given or has made leaves the process", async () => {
    const { bodies } = await runLibrary(end, "transformers.mjs", models.folder);
    const exported = Buffer.concat(bodies).toString("latin1");
    expect(exported.includes("prediction classifier")).toBe(true);
    for (const word of ["planted", "secret", "good", "a b"]) {
      expect(exported.includes(word), word).toBe(false);
    }
  });
});

// Its only version on npm ships three models and loads two: nothing in it names the third, which
// tells text that is upside down. The two lines of the picture make three runs.
describe("code that nobody here has written: @gutenye/ocr-node", () => {
  test.each(versions)("on Node %i has a span for every run of its two models", async (node) => {
    const { stdout, stderr, spans, bodies } = await runLibrary("latest", "ocr.mjs", models.folder, {
      node,
    });
    const texts = (JSON.parse(stdout || "[]") as [string][]).map(([text]) => text);
    expect(texts, stderr).toEqual(["planted 7f3a", "second line"]);
    expect(spans.map(({ name }) => name)).toEqual([
      "inference ch_PP-OCRv4_det_infer",
      "inference ch_PP-OCRv4_rec_infer",
      "inference ch_PP-OCRv4_rec_infer",
    ]);
    expect(Buffer.concat(bodies).includes("planted")).toBe(false);
  });
});

test("the versions that are tested are those that are installed", () => {
  for (const end of ENDS) {
    const require = createRequire(join(fileURLToPath(new URL(`${end}/`, import.meta.url)), "x.js"));
    const { dependencies } = require("./package.json") as { dependencies: Record<string, string> };
    for (const [name, version] of Object.entries(dependencies)) {
      const installed = require(`./node_modules/${name}/package.json`) as { version: string };
      expect([name, installed.version]).toEqual([name, version]);
    }
  }
});
