/** Hooks the modules that hold declared stages, and says which declarations had no effect. */
import { existsSync, realpathSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { complain } from "./complain.js";
import type { InstrumentationConfig, StageConfig } from "./config-schema.js";
import { LoadedFlags } from "./loaded-flags.js";
import type { ModelVersions } from "./model-versions.js";
import { PathUses } from "./path-uses.js";
import { patchExport } from "./stage-exports.js";
import type { StageContext } from "./stage-functions.js";
import { wrapStage } from "./stage-functions.js";

type AnyFunction = (...args: unknown[]) => unknown;

/** Under this key worker threads find the main thread's flags. */
const LOADED_KEY = "tidemark.instrumentation.loaded";

/** The declared stages of one module. */
class StageModule {
  readonly path: string;
  private readonly stages: StageConfig[] = [];
  private readonly wrappers = new Map<StageConfig, WeakMap<AnyFunction, AnyFunction>>();

  constructor(path: string) {
    this.path = path;
  }

  add(stage: StageConfig): void {
    this.stages.push(stage);
    this.wrappers.set(stage, new WeakMap());
  }

  patch(exports: unknown, shared: Omit<StageContext, "stage">): unknown {
    let patched = exports;
    for (const stage of this.stages) {
      const known = this.wrappers.get(stage) as WeakMap<AnyFunction, AnyFunction>;
      const result = patchExport(patched, stage.export, (original) => {
        // A module that is both required and imported is seen twice, the second time wrapped.
        const wrapped = known.get(original) ?? wrapStage(original, { stage, ...shared });
        known.set(original, wrapped);
        known.set(wrapped, wrapped);
        return wrapped;
      });
      if ("exports" in result) patched = result.exports;
      else complain(`${this.path}: ${result.problem}; the stage is not recorded`);
    }
    return patched;
  }
}

/** Declared stages by module: the paths to hook, and what to say at the end. */
export class StageModules {
  private readonly modules = new Map<string, StageModule>();
  private readonly config: InstrumentationConfig;
  private readonly loaded: LoadedFlags;
  private readonly pathUses = new PathUses();

  constructor(config: InstrumentationConfig) {
    this.config = config;
    for (const stage of config.stages) {
      if (!existsSync(stage.module)) {
        const what = `the stage ${stage.stage} of its export "${stage.export}"`;
        complain(`${stage.module}: no such file; ${what} is not recorded; check the path`);
        continue;
      }
      const path = realpathSync(stage.module);
      const module = this.modules.get(path) ?? new StageModule(path);
      this.modules.set(path, module);
      module.add(stage);
    }
    this.loaded = new LoadedFlags(LOADED_KEY, this.modules.size);
  }

  /** Absolute paths of the modules that hold stages. */
  paths(): string[] {
    return [...this.modules.keys()];
  }

  /** Wraps the stages of a module that has been loaded; returns what takes its exports' place. */
  patch(path: string, exports: unknown, versions: ModelVersions): unknown {
    const module = this.modules.get(path);
    if (module === undefined) return exports;
    this.loaded.set(this.paths().indexOf(path));
    const { errorMessages } = this.config;
    return module.patch(exports, { versions, errorMessages, paths: this.pathUses });
  }

  /** Says which modules no thread has loaded, and which paths led nowhere; for the end. */
  complainAboutUnused(): void {
    this.pathUses.complainAboutUnresolved();
    if (!isMainThread) return;
    for (const [index, { path }] of [...this.modules.values()].entries()) {
      if (this.loaded.has(index)) continue;
      complain(
        `${path}: was never loaded by another module, so its stages were not recorded; ` +
          "check the path, and that it is not the program's entry point",
      );
    }
  }
}
