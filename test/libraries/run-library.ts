/** Runs a program against the libraries of one end of the supported ranges. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { regressor, writeModel } from "../../packages/instrumentation/test/onnx-models.js";
import { startSink } from "../../packages/instrumentation/test/otlp-sink.js";
import type { AppOptions } from "../../packages/instrumentation/test/run-app.js";
import { runApp, toSink } from "../../packages/instrumentation/test/run-app.js";
import { writeTransformersModels } from "../../packages/instrumentation/test/transformers-models.js";

/** The lowest and the latest version of each range. */
export const ENDS = ["lowest", "latest"] as const;

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The models that programs load, in a folder of their own; `remove` takes it away. */
export function makeModels() {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-libraries-"));
  writeTransformersModels(folder);
  writeModel(join(folder, "weather.onnx"), regressor({ props: { model_name: "weather" } }));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** The result of a program beside the libraries of a folder, and the spans it has exported. */
export async function runLibrary(
  end: string,
  program: string | readonly [string, ...string[]],
  models: string,
  options: AppOptions = {},
) {
  if (!existsSync(at(`${end}/node_modules/.installed-lock.json`))) {
    throw new Error("the libraries are missing; run node test/libraries/install.mjs");
  }
  // Beside the libraries, where either module system finds them.
  cpSync(at("fixtures"), at(`${end}/node_modules/.programs`), { recursive: true });
  const sink = await startSink();
  const env = {
    ...toSink(sink.url),
    MODELS: models,
    IMAGE: join(models, `${end}.jpg`),
    DIST: at("../../packages/instrumentation/dist"),
    ...options.env,
  };
  const [name, ...args] = [program].flat() as [string, ...string[]];
  const file = at(`${end}/node_modules/.programs/${name}`);
  const result = await runApp([file, ...args], { ...options, cwd: models, env });
  await sink.close();
  return { ...result, spans: sink.spans(), bodies: sink.bodies };
}
