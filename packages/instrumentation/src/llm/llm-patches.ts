/** The patch of each library; loaded with the first of them. */
import { patchAnthropic } from "./anthropic.js";
import { patchBedrock } from "./bedrock.js";
import { patchCohere } from "./cohere.js";
import { patchGoogleGenai } from "./google-genai.js";
import {
  patchLangchainCallbacks,
  patchLangchainCaller,
  patchLangchainVectorStores,
} from "./langchain.js";
import type { LlmSettings } from "./llm-settings.js";
import { patchMistral } from "./mistral.js";
import { patchOllama } from "./ollama.js";
import { patchOpenai } from "./openai.js";
import { patchVercelAi } from "./vercel-ai.js";

export { LlmSettings } from "./llm-settings.js";

/** Patches by module; what one returns takes the exports' place, if it returns anything. */
export const PATCHES: Readonly<
  Record<string, (exports: unknown, settings: LlmSettings) => unknown>
> = {
  openai: patchOpenai,
  "@anthropic-ai/sdk": patchAnthropic,
  "@google/genai": patchGoogleGenai,
  "@mistralai/mistralai": patchMistral,
  ollama: patchOllama,
  "cohere-ai": patchCohere,
  "@aws-sdk/client-bedrock-runtime": patchBedrock,
  ai: patchVercelAi,
  "dist/callbacks/manager": patchLangchainCallbacks,
  "dist/utils/async_caller": patchLangchainCaller,
  "dist/vectorstores": patchLangchainVectorStores,
};
