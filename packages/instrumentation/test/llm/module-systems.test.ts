import { afterAll, beforeAll, expect, test } from "vitest";
import { NODES } from "../run-app.js";
import { startModelServer } from "./model-server.js";
import { PREPARED_WITHIN_MS } from "./providers.js";
import { runProvider } from "./run-provider.js";

const SAID = "The sky is blue.";
const nodes = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
let server: Awaited<ReturnType<typeof startModelServer>>;

beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

test.each(["newest", "newer", "oldest"] as const)(
  "a CommonJS app is recorded, %s versions",
  async (era) => {
    const run = await runProvider(era, "required.cjs", server.url);
    expect(run.seen.get("required")?.value).toEqual([SAID, SAID]);
    expect(run.spans.map(({ name }) => name)).toEqual(["chat whole", "chat stream"]);
    expect(run.spans[1]?.attributes["ml.response.outcome"]).toBe("completed");
  },
  PREPARED_WITHIN_MS,
);

test.each(["newest", "newer"] as const)(
  "a CommonJS app of the AI SDK is recorded, agents too, but where it wants no telemetry: %s",
  async (era) => {
    const run = await runProvider(era, "vercel-ai.cjs", server.url);
    expect(run.seen.get("required")?.value).toEqual([SAID, SAID]);
    expect(run.spans.map(({ name }) => name)).toEqual(["chat required", "chat agent"]);
  },
  PREPARED_WITHIN_MS,
);

test.each(nodes)(
  "an app of ES modules is recorded on Node %i",
  async (node) => {
    const run = await runProvider("newest", "openai.mjs", server.url, {
      node,
      scenarios: ["whole", "break"],
    });
    expect(run.spans.map(({ name }) => name)).toEqual(["chat whole", "chat break"]);
  },
  PREPARED_WITHIN_MS,
);

test(
  "a library that is not wanted is left alone",
  async () => {
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: "openai,undici,http" };
    const run = await runProvider("newest", "openai.mjs", server.url, {
      env,
      scenarios: ["whole"],
    });
    expect(run.seen.get("whole")?.value).toBe(SAID);
    expect(run.spans).toEqual([]);
  },
  PREPARED_WITHIN_MS,
);
