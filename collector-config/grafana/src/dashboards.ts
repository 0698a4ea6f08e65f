import { gpu } from "./gpu.ts";
import { llm } from "./llm.ts";
import { model } from "./model.ts";
import { overview } from "./overview.ts";
import { receiver } from "./receiver.ts";

/** By the name of their file. */
export const DASHBOARDS = { overview, model, llm, gpu, receiver };
