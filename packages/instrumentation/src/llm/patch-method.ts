/** Replaces a method of a library's class, once in each copy of it. */
import { complain, guarded } from "../complain.js";

/** Calls the original with its own `this`. */
export type Original = (args: unknown[]) => unknown;
/** What stands in for a method; it returns what the method returns. */
export type StandIn = (self: unknown, args: unknown[], original: Original) => unknown;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const PATCHED = new WeakSet<object>();

/** Patches `owner[name]`; an owner that is not there, or has no such method, is left alone. */
export function patchMethod(owner: object | undefined, name: string, standIn: StandIn): boolean {
  const methods = owner as Record<string, unknown> | undefined;
  const original = methods?.[name];
  if (methods === undefined || typeof original !== "function") return false;
  if (PATCHED.has(original)) return true;
  const patched = new Proxy(original as AnyFunction, {
    apply: (target, self, args: unknown[]) =>
      standIn(self, args, (actual) => Reflect.apply(target, self, actual)),
  });
  PATCHED.add(patched);
  const done = guarded(`patching ${name}`, () =>
    Reflect.defineProperty(methods, name, {
      enumerable: Object.getOwnPropertyDescriptor(methods, name)?.enumerable ?? false,
      configurable: true,
      writable: true,
      value: patched,
    }),
  );
  if (!done) complain(`${name} cannot be instrumented: its owner is sealed`);
  return done === true;
}

/**
 * Shows what a getter of a class first returns to `see`: some clients make their parts only when
 * they are asked for, of classes that they do not export.
 */
export function patchGetter(
  owner: object | undefined,
  name: string,
  see: (value: object) => void,
): void {
  const descriptor = owner && Object.getOwnPropertyDescriptor(owner, name);
  const original = descriptor?.get;
  if (owner === undefined || original === undefined || PATCHED.has(original)) return;
  let seen = false;
  const get = function (this: unknown): unknown {
    const value: unknown = Reflect.apply(original, this, []);
    if (!seen && typeof value === "object" && value !== null) {
      seen = true;
      guarded(`patching ${name}`, () => see(value));
    }
    return value;
  };
  PATCHED.add(get);
  guarded(`patching ${name}`, () => Reflect.defineProperty(owner, name, { ...descriptor, get }));
}
