import { join } from "node:path";
import { expect, test } from "vitest";
import { startSink } from "../otlp-sink.js";
import { FIXTURES, runApp, toSink } from "../run-app.js";

const PLANTED = "planted-1f6b-secret";

test("a declared retrieval states how many documents, how similar, how long, and not which", async () => {
  const sink = await startSink();
  const cwd = join(FIXTURES, "retrieval");
  const result = await runApp("app.mjs", { cwd, env: { ...toSink(sink.url), PLANTED } });
  await sink.close();
  expect(result, result.stderr).toMatchObject({ code: 0, stdout: "3\n", stderr: "" });
  const text = `${PLANTED} answers ${PLANTED}`;
  expect(sink.spans()[0]).toMatchObject({
    name: "feature_retrieval shelf",
    attributes: {
      "gen_ai.operation.name": "retrieval",
      "gen_ai.data_source.id": "shelf",
      "gen_ai.retrieval.documents": JSON.stringify([{ score: 0.75 }, { score: 0.5 }, {}]),
      "ml.feature.context_chars": 2 * text.length + 1,
    },
  });
  expect(Buffer.concat(sink.bodies).includes(PLANTED)).toBe(false);
});
