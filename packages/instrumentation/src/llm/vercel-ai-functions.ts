/**
 * Puts functions in the place of the AI SDK's: they are given other options than the app gives, or
 * it is remembered with which signal the app may call them off, where the SDK does not say so.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { guarded } from "../complain.js";
import { patchExport } from "../stage-exports.js";
import type { Loose } from "./loose.js";
import { loose } from "./loose.js";
import { patchMethod } from "./patch-method.js";

type AnyFunction = (...args: unknown[]) => unknown;
type Change = (options: Loose) => Loose;
/** Calls a function with the app's options, or with others. */
type Around = (options: unknown, call: (options: unknown) => unknown) => unknown;

const abortSignals = new AsyncLocalStorage<unknown>();
const wrappers = new WeakMap<AnyFunction, AnyFunction>();

/** The exports with those of the functions that they have, which get what `change` returns. */
export function patchFunctions(exports: unknown, names: readonly string[], change: Change) {
  return surroundFunctions(exports, names, (options, call) => call(withOptions(options, change)));
}

/** The exports with those of the functions that they have, which `around` calls. */
export function surroundFunctions(exports: unknown, names: readonly string[], around: Around) {
  let patched = exports;
  for (const name of names) {
    const result = patchExport(patched, name, (original) => wrapped(original, around));
    if ("exports" in result) patched = result.exports;
  }
  return patched;
}

/** Calls a function of the app's options, whose signal is then the present one. */
export function withSignal(options: unknown, call: (options: unknown) => unknown): unknown {
  return abortSignals.run(loose(options)["abortSignal"], () => call(options));
}

/** The signal of the function that the present code runs in. */
export function presentSignal(): unknown {
  return abortSignals.getStore();
}

/** Lets the signal of what an agent is asked be the present one; it calls no exported function. */
export function patchAgent(exports: unknown): void {
  const agent = loose(exports)["ToolLoopAgent"] as { prototype?: object } | undefined;
  for (const method of ["generate", "stream"]) {
    patchMethod(agent?.prototype, method, (_, args, original) =>
      withSignal(args[0], () => original(args)),
    );
  }
}

/** The options, changed; as they are where that fails. */
export function withOptions(options: unknown, change: Change): unknown {
  if (typeof options !== "object" || options === null) return options;
  return guarded("listening to the AI SDK", () => change(loose(options))) ?? options;
}

function wrapped(original: AnyFunction, around: Around): AnyFunction {
  const known = wrappers.get(original);
  if (known !== undefined) return known;
  const wrapper = new Proxy(original, {
    apply: (target, self, [given, ...rest]: unknown[]) =>
      around(given, (options) => Reflect.apply(target, self, [options, ...rest])),
  });
  wrappers.set(original, wrapper);
  wrappers.set(wrapper, wrapper);
  return wrapper;
}
