/** The AI SDK, `ai`: each of its versions tells of its calls in a way of its own. */
import type { LlmSettings } from "./llm-settings.js";
import { loose } from "./loose.js";
import { patchVercelAi6 } from "./vercel-ai-6.js";
import { patchVercelAi7 } from "./vercel-ai-7.js";

/** The exports, whose functions' calls are recorded. */
export function patchVercelAi(exports: unknown, settings: LlmSettings): unknown {
  // Version 6 has a hook too, that tells of no failures.
  const hasHook = loose(exports)["registerTelemetry"] !== undefined;
  return hasHook ? patchVercelAi7(exports, settings) : patchVercelAi6(exports, settings);
}
