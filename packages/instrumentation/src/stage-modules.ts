/** Hooks the modules that hold declared stages, and says which declarations had no effect. */
import { existsSync, realpathSync } from "node:fs";
import { complain } from "./complain.js";
import type { InstrumentationConfig, StageConfig } from "./config-schema.js";
import type { ModelVersions } from "./model-versions.js";
import { hookModule } from "./module-hooks.js";
import { patchExport } from "./stage-exports.js";
import { wrapStage } from "./stage-functions.js";

type AnyFunction = (...args: unknown[]) => unknown;

/** The declared stages of one module. */
class StageModule {
  readonly path: string;
  loaded = false;
  private readonly stages: StageConfig[] = [];
  private readonly wrappers = new Map<StageConfig, WeakMap<AnyFunction, AnyFunction>>();

  constructor(path: string) {
    this.path = path;
  }

  add(stage: StageConfig): void {
    this.stages.push(stage);
    this.wrappers.set(stage, new WeakMap());
  }

  patch(exports: unknown, versions: ModelVersions, errorMessages: boolean): unknown {
    this.loaded = true;
    let patched = exports;
    for (const stage of this.stages) {
      const known = this.wrappers.get(stage) as WeakMap<AnyFunction, AnyFunction>;
      const result = patchExport(patched, stage.export, (original) => {
        // A module that is both required and imported is seen twice, the second time wrapped.
        const wrapped =
          known.get(original) ?? wrapStage(original, { stage, versions, errorMessages });
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

  constructor(config: InstrumentationConfig) {
    this.config = config;
    for (const stage of config.stages) {
      if (!existsSync(stage.module)) {
        complain(`${stage.module}: no such file; the stage ${stage.export} is not recorded`);
        continue;
      }
      const path = realpathSync(stage.module);
      const module = this.modules.get(path) ?? new StageModule(path);
      this.modules.set(path, module);
      module.add(stage);
    }
  }

  /** Absolute paths of the modules that hold stages. */
  paths(): string[] {
    return [...this.modules.keys()];
  }

  /** Starts to wrap stages as their modules are loaded. */
  hook(versions: ModelVersions): void {
    const { errorMessages } = this.config;
    for (const [path, module] of this.modules) {
      hookModule(path, (exports) => module.patch(exports, versions, errorMessages));
    }
  }

  /** Says which modules were declared but never loaded; meant for the end of the process. */
  complainAboutUnused(): void {
    for (const { path, loaded } of this.modules.values()) {
      if (loaded) continue;
      complain(
        `${path}: was never loaded by another module, so its stages were not recorded; ` +
          "check the path, and that it is not the program's entry point",
      );
    }
  }
}
