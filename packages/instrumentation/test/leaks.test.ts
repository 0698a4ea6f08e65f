import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { regressor, writeModel } from "./onnx-models.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, REGISTER, runApp, toSink } from "./run-app.js";

test("100,000 predictions leave no span, no listener and no memory behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-leaks-"));
  const MODEL = writeModel(join(folder, "weather.onnx"), regressor());
  const sink = await startSink();
  const { stdout, stderr } = await runApp("app.mjs", {
    cwd: join(FIXTURES, "leaks"),
    flags: ["--expose-gc", "--require", REGISTER],
    env: { ...toSink(sink.url), MODEL },
  });
  await sink.close();
  rmSync(folder, { recursive: true });
  expect(stderr).toBe("");
  const { grownMb, listeners } = JSON.parse(stdout) as {
    grownMb: number;
    listeners: [string[], string[]];
  };
  expect(grownMb).toBeLessThan(2);
  expect(listeners[1]).toEqual(listeners[0]);
  const counts = new Map<string, number>();
  for (const { name } of sink.spans()) counts.set(name, (counts.get(name) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    "prediction weather": 100_000,
    "inference weather": 100_000,
  });
}, 180_000);
