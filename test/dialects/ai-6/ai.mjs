// From here, the names are those of version 6.
export { createOpenAI } from "@ai-sdk/openai";
export * as ai from "ai";
