/** Puts functions in the place of the AI SDK's that are given other options than the app gives. */
import { guarded } from "../complain.js";
import { patchExport } from "../stage-exports.js";
import type { Loose } from "./loose.js";
import { loose } from "./loose.js";

type AnyFunction = (...args: unknown[]) => unknown;
type Change = (options: Loose) => Loose;

const wrappers = new WeakMap<AnyFunction, AnyFunction>();

/** The exports with those of the functions that they have, which get what `change` returns. */
export function patchFunctions(exports: unknown, names: readonly string[], change: Change) {
  let patched = exports;
  for (const name of names) {
    const result = patchExport(patched, name, (original) => wrapped(original, change));
    if ("exports" in result) patched = result.exports;
  }
  return patched;
}

/** The options, changed; as they are where that fails. */
export function withOptions(options: unknown, change: Change): unknown {
  if (typeof options !== "object" || options === null) return options;
  return guarded("listening to the AI SDK", () => change(loose(options))) ?? options;
}

function wrapped(original: AnyFunction, change: Change): AnyFunction {
  const known = wrappers.get(original);
  if (known !== undefined) return known;
  const wrapper = new Proxy(original, {
    apply: (target, self, [options, ...rest]: unknown[]) =>
      Reflect.apply(target, self, [withOptions(options, change), ...rest]),
  });
  wrappers.set(original, wrapper);
  wrappers.set(wrapper, wrapper);
  return wrapper;
}
