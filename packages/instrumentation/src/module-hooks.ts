/**
 * Hooks into both module systems. `require` is hooked by require-in-the-middle, ES modules by
 * import-in-the-middle; both come from `@opentelemetry/instrumentation`, because another copy of
 * the latter would not see the modules that the first one's loader announces.
 */
import nodeModule, { createRequire } from "node:module";
import { isAbsolute, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { complain, guarded, reason } from "./complain.js";

/**
 * Called with a module's exports when it is first loaded, and, if it is a package, with the folder
 * of that; what it returns takes the exports' place.
 */
export type ModuleHook = (module: string, exports: unknown, folder?: string) => unknown;

type HookClass = new (
  modules: string[],
  options: { internals?: boolean },
  hook: (exports: unknown, name: string, folder: string | undefined) => unknown,
) => object;

interface SyncLoader {
  readonly supportsSyncHooks: () => boolean;
  readonly register: (options: { include: string[] }) => void;
}

const ownRequire = createRequire(import.meta.url);
const hookRequire = createRequire(ownRequire.resolve("@opentelemetry/instrumentation"));

/**
 * Lets ES modules be hooked, if they are among `modules`: absolute paths or package names. Nothing
 * else is touched: a module that nobody wants to see is loaded as if this package did not exist.
 */
export function hookEsModules(modules: readonly string[]): void {
  const include = modules.map((name) => (isAbsolute(name) ? pathToFileURL(name).href : name));
  if (include.length === 0) return;
  try {
    const sync = syncLoader();
    if (sync) {
      sync.register({ include });
      keepBuiltins();
    } else {
      const loader = pathToFileURL(hookRequire.resolve("import-in-the-middle/hook.mjs")).href;
      nodeModule.register(loader, { data: { include } });
    }
  } catch (error) {
    complain(`ES modules cannot be instrumented: ${reason(error)}`);
  }
}

/**
 * import-in-the-middle takes a built-in module that is resolved without a parent, as `node -e` does
 * with `module`, for a file; this hook, which runs around its one, says again what it is.
 */
function keepBuiltins(): void {
  nodeModule.registerHooks({
    resolve(specifier, context, nextResolve) {
      const result = nextResolve(specifier, context);
      const mistaken = result.url.startsWith("node:") && result.format === "commonjs";
      return mistaken ? { ...result, format: "builtin" } : result;
    },
  });
}

/** Node's hooks in the app's own thread; undefined where this Node's are missing or unsound. */
function syncLoader(): SyncLoader | undefined {
  if (typeof nodeModule.registerHooks !== "function") return undefined;
  const check = "import-in-the-middle/supports-sync-hooks.mjs";
  const { supportsSyncHooks } = hookRequire(check) as SyncLoader;
  if (!supportsSyncHooks()) return undefined;
  return hookRequire("import-in-the-middle/register-hooks.mjs") as SyncLoader;
}

/**
 * Calls `hook` with each of the modules, absolute paths or package names, when it is loaded, by
 * either module system. One hook for all of them: each one costs a resolution per `require`.
 */
export function hookModules(modules: readonly string[], hook: ModuleHook): void {
  if (modules.length === 0) return;
  const call = (name: string, exports: unknown, folder: string | undefined) => {
    const hooked = guarded(`instrumenting ${name}`, () => ({
      exports: hook(name, exports, folder),
    }));
    return hooked === undefined ? exports : hooked.exports;
  };
  const { Hook: RequireHook } = hookRequire("require-in-the-middle") as { Hook: HookClass };
  const { Hook: ImportHook } = hookRequire("import-in-the-middle") as { Hook: HookClass };
  void new RequireHook([...modules], {}, (exports, name, folder) => {
    const module = requiredModule(modules, exports, name, folder);
    return module === undefined ? exports : call(module, exports, folder);
  });
  void new ImportHook([...modules], {}, (namespace, name, folder) => {
    if (modules.includes(name)) call(name, namespace, folder);
  });
}

/** Which of the modules was required: the hook names a path by its folder and its stem only. */
function requiredModule(
  modules: readonly string[],
  exports: unknown,
  name: string,
  folder: string | undefined,
): string | undefined {
  const candidates = modules.filter((module) => {
    if (!isAbsolute(module)) return module === name;
    const path = parse(module);
    return path.dir === folder && path.name === name;
  });
  if (candidates.length <= 1) return candidates[0];
  return candidates.find((path) => ownRequire.cache[path]?.exports === exports);
}

/**
 * Makes named imports of built-in modules, such as `import { request } from "node:http"`, the
 * functions that have been patched on the CommonJS side.
 */
export function patchBuiltins(names: readonly string[]): void {
  for (const name of names) ownRequire(name);
  nodeModule.syncBuiltinESMExports();
}
