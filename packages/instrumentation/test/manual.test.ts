import { join } from "node:path";
import { expect, test } from "vitest";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "manual");
const answer = '[2,"planted-7f3a"]\n';

test("stages, features, predictions and feedback are recorded from code", async () => {
  const sink = await startSink();
  const { stdout, stderr } = await runApp("app.mjs", { cwd, env: toSink(sink.url) });
  await sink.close();
  expect(stdout, stderr).toBe(answer);
  const spans = sink.spans();
  const by = (name: string) => spans.find((span) => span.name === name);
  const parent = by("prediction weather");
  const request = { "ml.segment.region": "north", "ml.tenant": "acme" };
  expect(parent?.attributes).toMatchObject({ "ml.model.version": "3", ...request });
  expect(by("feature_retrieval redis")).toMatchObject({
    parentSpanId: parent?.spanId,
    attributes: {
      "ml.stage": "feature_retrieval",
      "ml.feature.source": "redis",
      "ml.feature.wind": 2.5,
      "ml.feature.sky": "grey",
      "ml.feature.batch": [1, 3],
      "ml.feature.missing": ["rain", "batch"],
      ...request,
    },
  });
  expect(by("inference weather")?.attributes).toMatchObject({
    "ml.prediction.class": "warm",
    "ml.prediction.confidence": 0.9,
    "ml.prediction.scores.cold": 0.1,
    "ml.prediction.id": "p-1",
  });
  expect(by("postprocessing weather")).toMatchObject({
    parentSpanId: parent?.spanId,
    attributes: { "ml.prediction.id": "p-1", ...request },
  });
  expect(by("preprocessing")).toMatchObject({ error: true });
  expect(by("feedback weather")?.attributes).toEqual({
    "ml.prediction.id": "p-1",
    "ml.feedback.label": "cold",
    "ml.model.name": "weather",
  });
  expect(by("feedback")?.attributes).toMatchObject({ "ml.feedback.value": 17.5 });
  const said = spans
    .filter(({ attributes }) => attributes["ml.prediction.id"] === "p-3")
    .map(({ name, events }) => [name, events[0]?.name, events[0]?.attributes]);
  expect(said).toEqual([
    [
      "feedback chat",
      "gen_ai.evaluation.result",
      { "gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.label": "up" },
    ],
    [
      "feedback",
      "gen_ai.evaluation.result",
      { "gen_ai.evaluation.name": "copied", "gen_ai.evaluation.score.label": "yes" },
    ],
    [
      "feedback",
      "gen_ai.evaluation.result",
      { "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.75 },
    ],
  ]);
  expect(JSON.stringify(spans)).not.toMatch(/nowhere|planted/);
  expect(stderr).toBe(
    'tidemark: a feature cannot be called "missing": the attribute of that name is another\n',
  );
});

test("without an SDK the same program does the same and says nothing", async () => {
  const { stdout, stderr } = await runApp("app.mjs", { cwd, flags: [] });
  expect({ stdout, stderr }).toEqual({ stdout: answer, stderr: "" });
});

test("whoever imports only these functions loads no hook and no SDK", async () => {
  const program =
    "const seen = [];" +
    "require('node:module').registerHooks({ load(url, context, next) { seen.push(url);" +
    " return next(url, context); } });" +
    "import('@tidemark/instrumentation/api').then(() => console.log(seen.join(' ')));";
  const { stdout, stderr } = await runApp(["-e", program], { cwd, flags: [] });
  expect(stdout, stderr).toContain("/dist/api.js");
  expect(stdout).not.toMatch(/@opentelemetry\/(?!api\/)|zod|yaml|in-the-middle|onnx-instrument/);
});
