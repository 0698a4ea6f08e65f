/** The models of the configuration, and which of them no session was ever made of. */
import { isMainThread } from "node:worker_threads";
import { complain } from "../complain.js";
import type { ModelConfig } from "../config-schema.js";
import { LoadedFlags } from "../loaded-flags.js";

/** Under this key worker threads find the main thread's flags. */
const LOADED_KEY = "tidemark.instrumentation.models";
/** Names that a complaint lists. */
const NAMES_MAX = 10;

/** Looks declarations up by the names of the models that are loaded. */
export class DeclaredModels {
  private readonly models: readonly ModelConfig[];
  /** One for each model, and a last one for models that nobody declared. */
  private readonly loaded: LoadedFlags;
  private readonly names = new Set<string>();

  constructor(models: readonly ModelConfig[]) {
    this.models = models;
    this.loaded = new LoadedFlags(LOADED_KEY, models.length + 1);
  }

  /** What is declared of the model of that name, which has been loaded. */
  find(name: string): ModelConfig | undefined {
    const index = this.models.findIndex((model) => model.name === name);
    this.loaded.set(index < 0 ? this.models.length : index);
    if (this.names.size < NAMES_MAX) this.names.add(name);
    return this.models[index];
  }

  /** Says which declarations no model has, where models were loaded; for the end of the process. */
  complainAboutUnused(): void {
    if (!isMainThread || !this.loaded.any()) return;
    const names = [...this.names].join(", ");
    for (const [index, { name }] of this.models.entries()) {
      if (this.loaded.has(index)) continue;
      const others = names ? `; loaded were: ${names}` : "";
      complain(`models[${index}]: no model called "${name}" was loaded${others}`);
    }
  }
}
