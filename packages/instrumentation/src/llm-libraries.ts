/**
 * The libraries that call language models: what is hooked, which versions are known to work, and
 * the patch of each. Only the names are needed before the app loads one of them; the rest is then.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { complain } from "./complain.js";
import type { InstrumentationConfig } from "./config-schema.js";
import type { LlmSettings } from "./llm/llm-settings.js";

/** One hooked module. */
interface LlmLibrary {
  readonly module: string;
  /** The name that `OTEL_NODE_DISABLED_INSTRUMENTATIONS` knows it by. */
  readonly name: string;
  /** Major versions, both included; tested at both ends. */
  readonly majors: readonly [first: number, last: number];
}

/** All of them. */
export const LLM_LIBRARIES: readonly LlmLibrary[] = [
  { module: "openai", name: "openai", majors: [4, 7] },
  { module: "@anthropic-ai/sdk", name: "anthropic", majors: [0, 1] },
  { module: "@google/genai", name: "google-genai", majors: [1, 3] },
  { module: "@mistralai/mistralai", name: "mistral", majors: [1, 2] },
  { module: "ollama", name: "ollama", majors: [0, 0] },
  { module: "cohere-ai", name: "cohere", majors: [7, 8] },
  { module: "@aws-sdk/client-bedrock-runtime", name: "bedrock", majors: [3, 3] },
  { module: "ai", name: "vercel-ai", majors: [6, 7] },
];

/** LangChain has no main module: its files are hooked where the program's own copy is. */
const LANGCHAIN = "@langchain/core";
const LANGCHAIN_FILES = ["dist/callbacks/manager", "dist/utils/async_caller", "dist/vectorstores"];
const LANGCHAIN_MAJORS = [0, 1] as const;

const ownRequire = createRequire(import.meta.url);

/** Patches libraries as the app loads them. */
export class LlmLibraries {
  private readonly libraries: readonly LlmLibrary[];
  private readonly config: InstrumentationConfig;
  private readonly files: readonly string[];
  private settings: LlmSettings | undefined;

  constructor(config: InstrumentationConfig, isEnabled: (name: string) => boolean) {
    this.config = config;
    this.libraries = LLM_LIBRARIES.filter(({ name }) => isEnabled(name));
    this.files = isEnabled("langchain") ? langchainFiles() : [];
  }

  /** The modules to hook. */
  modules(): string[] {
    return [...this.libraries.map(({ module }) => module), ...this.files];
  }

  /** Patches a module's exports, if it is one of these libraries; what takes their place. */
  patch(module: string, exports: unknown, folder: string | undefined): unknown {
    const library = this.libraries.find((candidate) => candidate.module === module);
    if (library === undefined && !this.files.includes(module)) return exports;
    if (library !== undefined && !isKnown(library, folder)) return exports;
    const { LlmSettings: Settings, PATCHES } = ownRequire(
      "./llm/llm-patches.js",
    ) as typeof import("./llm/llm-patches.js");
    this.settings ??= new Settings(this.config);
    const known = library?.module ?? LANGCHAIN_FILES.find((file) => module.includes(file)) ?? "";
    return PATCHES[known]?.(exports, this.settings) ?? exports;
  }

  /** Says which paths of the configuration have led nowhere in any call; for the end. */
  complainAboutUnused(): void {
    this.settings?.complainAboutUnused();
  }
}

/** The files of the copy that the program finds, of both module systems. */
function langchainFiles(): string[] {
  const program = process.argv[1] ?? join(process.cwd(), "main.js");
  try {
    const folder = dirname(createRequire(program).resolve(`${LANGCHAIN}/package.json`));
    if (!isKnown({ module: LANGCHAIN, name: "langchain", majors: LANGCHAIN_MAJORS }, folder)) {
      return [];
    }
    return LANGCHAIN_FILES.flatMap((file) =>
      [".cjs", ".js"].map((end) => join(folder, file + end)),
    );
  } catch {
    return [];
  }
}

/** A version that nobody has tried is left alone, and one line says so. */
function isKnown({ name, majors }: LlmLibrary, folder: string | undefined): boolean {
  const version = versionIn(folder);
  if (version === undefined) return true;
  const [first, last] = majors;
  const major = Number.parseInt(version, 10);
  if (major >= first && major <= last) return true;
  complain(`${name} ${version} is not instrumented; versions ${first} to ${last} are`);
  return false;
}

function versionIn(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  try {
    const { version } = ownRequire(`${folder}/package.json`) as { version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}
