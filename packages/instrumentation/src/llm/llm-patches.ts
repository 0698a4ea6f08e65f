/** The patch of each library; loaded with the first of them. */
import type { LlmSettings } from "./llm-settings.js";
import { patchOpenai } from "./openai.js";

export { LlmSettings } from "./llm-settings.js";

/** Patches by module. */
export const PATCHES: Readonly<Record<string, (exports: unknown, settings: LlmSettings) => void>> =
  {
    openai: patchOpenai,
  };
