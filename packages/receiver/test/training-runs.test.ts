import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { TraceRequest } from "../src/otlp/schema.ts";
import { cli } from "./cli-runs.ts";
import { post, requestOf, START_MS, startReceiver } from "./running-receiver.ts";

const folder = mkdtempSync(join(tmpdir(), "tidemark-runs-"));
const csv = join(folder, "training.csv");
writeFileSync(csv, ["wind", ...Array.from({ length: 500 }, (_, row) => row / 7)].join("\n"));

/** A reference of the model `weather`. */
function reference(name: string, ...options: string[]): string {
  const out = join(folder, `${name}.tidemark.json`);
  const build = ["baseline", "build", csv, "--model", "weather", "--out", out, ...options];
  execFileSync(process.execPath, [cli, ...build]);
  return out;
}

const ofAny = reference("any", "--run-id", "run-1");
const ofSecond = reference("second", "--run-id", "run-2", "--model-version", "2");
const ofNone = reference("none");

let receiver: Awaited<ReturnType<typeof startReceiver>>;
afterEach(() => receiver.shutdown());

async function started(...files: readonly string[]): Promise<void> {
  const references = files.map((file) => `{ file: ${file} }`).join(", ");
  receiver = await startReceiver(`processors: { references: [${references}] }\n`);
}

async function predict(runId: string | number, version = "1", more = {}): Promise<void> {
  const attributes = {
    "ml.model.name": "weather",
    "ml.model.version": version,
    "ml.model.run_id": runId,
    "ml.feature.wind": 3,
    ...more,
  };
  await receiver.send([{ atMs: START_MS, attributes }]);
}

/** A span whose resource says that its model is of run 8. */
async function sendOfResource(attributes: Record<string, string | number>): Promise<void> {
  const [{ scopeSpans }] = requestOf([{ atMs: START_MS, attributes }]).resourceSpans as [
    { scopeSpans: object[] },
  ];
  const resource = { attributes: [{ key: "ml.model.run_id", value: { stringValue: "run-8" } }] };
  const body = TraceRequest.encode({ resourceSpans: [{ resource, scopeSpans }] }).finish();
  await post(`${receiver.otlp}/v1/traces`, body);
}

const warnings = () => receiver.log.join("").match(/the model comes from training run .*/g) ?? [];
const otherRuns = async () => {
  const response = await fetch(`${receiver.admin}/api/v1/status`);
  return ((await response.json()) as { otherRuns: object[] }).otherRuns;
};

describe("the training run of a model", () => {
  it("is no news when its reference is of the same one", async () => {
    await started(ofAny);
    await predict("run-1");
    expect(await otherRuns()).toEqual([]);
  });

  it("is told once, and shown as long as it lasts, when its reference is of another", async () => {
    await started(ofAny);
    await predict("run-7");
    await predict("run-7");
    const other = { model: "weather", version: "1", runId: "run-7", referenceRunId: "run-1" };
    expect(await otherRuns()).toEqual([{ ...other, reference: ofAny }]);
    receiver.clock.nowMs += 3_600_000;
    await expect.poll(warnings).not.toEqual([]);
    await predict("run-7");
    expect(warnings()).toEqual([
      expect.stringContaining(
        "the model comes from training run run-7, its reference from run-1; " +
          "build the reference of that run",
      ),
    ]);
    await predict("run-1");
    expect(await otherRuns()).toEqual([]);
  });

  it("is compared with the reference of its version first", async () => {
    await started(ofAny, ofSecond);
    await predict("run-2", "2");
    await predict("run-1", "3");
    expect(await otherRuns()).toEqual([]);
    await predict("run-1", "2");
    expect(await otherRuns()).toMatchObject([{ version: "2", referenceRunId: "run-2" }]);
  });

  it("means nothing to a reference that names none, and is text", async () => {
    await started(ofNone);
    await predict("run-7");
    expect(await otherRuns()).toEqual([]);
    await predict(7);
    expect(await otherRuns()).toEqual([]);
  });

  it("may be said of the resource, and the span's word goes before it", async () => {
    await started(ofAny);
    await sendOfResource({ "ml.model.name": "weather", "ml.feature.wind": 3 });
    expect(await otherRuns()).toMatchObject([{ runId: "run-8" }]);
    await sendOfResource({ "ml.model.name": "weather", "ml.model.run_id": "run-1" });
    expect(await otherRuns()).toEqual([]);
  });
});
