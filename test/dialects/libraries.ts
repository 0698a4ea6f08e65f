/** The libraries that emit spans of language models, each run in a process of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const REGISTER = at("../../packages/instrumentation/dist/register.cjs");

/** By name; what each does is in run-library.mjs. */
export const LIBRARIES = [
  "tidemark-openai",
  "tidemark-anthropic",
  "tidemark-ai-6",
  "tidemark-ai-7",
  "tidemark-langchain",
  "gen-ai-openai",
  "openinference-openai",
  "openinference-anthropic",
  "openinference-langchain",
  "openinference-vercel",
  "traceloop-openai",
  "traceloop-anthropic",
  "traceloop-langchain",
  "anthropic-native",
  "ai-6",
  "ai-7",
  "langfuse-openai",
] as const;

/** How a library's conversation went. */
export interface Conversation {
  readonly code: number | null;
  /** How many milliseconds the calls of each model took, as the app has measured them. */
  readonly tookMs: Readonly<Record<string, number>>;
  readonly stderr: string;
}

/**
 * Has one conversation by one library.
 * @param name one of {@link LIBRARIES}, or that of another's behind "tidemark+": beside ours
 * @param models where the model server is
 * @param traces where spans go, as OTLP/JSON
 */
export async function converse(name: string, models: string, traces: string) {
  // Ours is a flag, and an SDK that the environment tells where to send to.
  const isOurs = name.startsWith("tidemark");
  const flags = isOurs ? ["--require", REGISTER] : [];
  const settings = isOurs && {
    OTEL_SERVICE_NAME: "tide-clock",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    // Not this machine's name and number.
    OTEL_NODE_RESOURCE_DETECTORS: "none",
    OTEL_NODE_DISABLED_INSTRUMENTATIONS: "http,undici",
  };
  const args = [...flags, at("run-library.mjs"), name, models, traces];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...settings } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  const line = stdout.split("\n").find((one) => one.startsWith("{")) ?? "{}";
  return { code, tookMs: JSON.parse(line), stderr } as Conversation;
}
