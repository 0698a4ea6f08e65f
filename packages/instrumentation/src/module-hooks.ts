/**
 * Hooks into both module systems. `require` is hooked by require-in-the-middle, ES modules by
 * import-in-the-middle; both come from `@opentelemetry/instrumentation`, because another copy of
 * the latter would not see the modules that the first one's loader announces.
 */
import { createRequire, register, syncBuiltinESMExports } from "node:module";
import { sep } from "node:path";
import { pathToFileURL } from "node:url";
import { complain, guarded, reason } from "./complain.js";

/** Called with a module's exports when it is first loaded; what it returns takes their place. */
export type ModuleHook = (exports: unknown) => unknown;

type HookClass = new (
  modules: string[],
  options: { internals?: boolean },
  hook: (exports: unknown) => unknown,
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
  const include = modules.map((name) => (isPath(name) ? pathToFileURL(name).href : name));
  if (include.length === 0) return;
  try {
    const sync = syncLoader();
    if (sync) sync.register({ include });
    else {
      const loader = pathToFileURL(hookRequire.resolve("import-in-the-middle/hook.mjs")).href;
      register(loader, { data: { include } });
    }
  } catch (error) {
    complain(`ES modules cannot be instrumented: ${reason(error)}`);
  }
}

/** Node's hooks in the app's own thread; undefined where this Node's are missing or unsound. */
function syncLoader(): SyncLoader | undefined {
  const { registerHooks } = ownRequire("node:module") as { registerHooks?: unknown };
  if (typeof registerHooks !== "function") return undefined;
  const check = "import-in-the-middle/supports-sync-hooks.mjs";
  const { supportsSyncHooks } = hookRequire(check) as SyncLoader;
  if (!supportsSyncHooks()) return undefined;
  return hookRequire("import-in-the-middle/register-hooks.mjs") as SyncLoader;
}

/** Calls `hook` when the module, an absolute path or a package's name, is loaded either way. */
export function hookModule(name: string, hook: ModuleHook): void {
  const required = (exports: unknown) => {
    const result = guarded(`instrumenting ${name}`, () => ({ exports: hook(exports) }));
    return result === undefined ? exports : result.exports;
  };
  const { Hook: RequireHook } = hookRequire("require-in-the-middle") as { Hook: HookClass };
  const { Hook: ImportHook } = hookRequire("import-in-the-middle") as { Hook: HookClass };
  void new RequireHook([name], {}, required);
  void new ImportHook([name], {}, (namespace) => {
    required(namespace);
  });
}

/**
 * Makes named imports of built-in modules, such as `import { request } from "node:http"`, the
 * functions that have been patched on the CommonJS side.
 */
export function patchBuiltins(names: readonly string[]): void {
  for (const name of names) ownRequire(name);
  syncBuiltinESMExports();
}

function isPath(name: string): boolean {
  return name.startsWith("/") || name.includes(sep) || /^[A-Za-z]:[/\\]/.test(name);
}
