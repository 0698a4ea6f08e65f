/** Hooks the modules that hold declared stages, and says which declarations had no effect. */
import { existsSync, realpathSync } from "node:fs";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import { complain } from "./complain.js";
import type { InstrumentationConfig, StageConfig } from "./config-schema.js";
import type { ModelVersions } from "./model-versions.js";
import { patchExport } from "./stage-exports.js";
import { wrapStage } from "./stage-functions.js";

type AnyFunction = (...args: unknown[]) => unknown;

/** Under this key worker threads find the main thread's {@link LoadedFlags}. */
const LOADED_KEY = "tidemark.instrumentation.loaded";

/**
 * Which modules have been loaded by any thread, one byte each: a module that only a worker loads is
 * not unused.
 */
class LoadedFlags {
  private readonly flags: Uint8Array;

  constructor(count: number) {
    const shared = isMainThread ? undefined : getEnvironmentData(LOADED_KEY);
    const inherited = shared instanceof SharedArrayBuffer && shared.byteLength === count;
    const buffer = inherited ? shared : new SharedArrayBuffer(count);
    if (!inherited && count > 0) setEnvironmentData(LOADED_KEY, buffer);
    this.flags = new Uint8Array(buffer);
  }

  set(index: number): void {
    Atomics.store(this.flags, index, 1);
  }

  has(index: number): boolean {
    return Atomics.load(this.flags, index) === 1;
  }
}

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

  patch(exports: unknown, versions: ModelVersions, errorMessages: boolean): unknown {
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
  private readonly loaded: LoadedFlags;

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
    this.loaded = new LoadedFlags(this.modules.size);
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
    return module.patch(exports, versions, this.config.errorMessages);
  }

  /** Says which modules no thread has loaded; meant for the end of the main thread. */
  complainAboutUnused(): void {
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
