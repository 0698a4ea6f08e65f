/**
 * Puts a wrapped function in the place of an export, whatever the module system: objects are
 * patched in place where they let themselves be, and replaced by a copy where they do not.
 */

type AnyFunction = (...args: unknown[]) => unknown;
type Members = Record<PropertyKey, unknown>;

/** A function that wraps another; asked twice for the same one, it must return the same wrapper. */
export type Wrap = (original: AnyFunction) => AnyFunction;

/** The module's exports with the function at `path` wrapped, or why that cannot be done. */
export type Patched = { readonly exports: unknown } | { readonly problem: string };

/**
 * Wraps the function that `path` names: an export, `default`, or a member of an export such as
 * `Model.prototype.predict`.
 */
export function patchExport(exports: unknown, path: string, wrap: Wrap): Patched {
  const steps = path.split(".");
  const last = steps.pop() as string;
  if (steps.length === 0) return patchTop(exports, last, wrap);
  const found = memberOf(exports, steps);
  if (!isObject(found)) return { problem: `has no export ${steps.join(".")}` };
  const original = found[last];
  if (typeof original !== "function") return { problem: missing(path, exports) };
  if (replaceMember(found, last, wrap(original as AnyFunction))) return { exports };
  return { problem: `does not let ${path} be replaced: it is read-only` };
}

function patchTop(exports: unknown, name: string, wrap: Wrap): Patched {
  if (name === "default" && typeof exports === "function") {
    return isClass(exports)
      ? { problem: classHint(name) }
      : { exports: wrap(exports as AnyFunction) };
  }
  if (!isObject(exports)) return { problem: missing(name, exports) };
  const fallback = isObject(exports["default"]) ? exports["default"] : undefined;
  const original = exports[name] ?? fallback?.[name];
  if (typeof original !== "function") return { problem: missing(name, exports) };
  if (isClass(original)) return { problem: classHint(name) };
  const wrapped = wrap(original as AnyFunction);
  // `import features from "./features.cjs"` reaches the function through the default export.
  if (fallback && fallback[name] === original) replaceMember(fallback, name, wrapped);
  if (!(name in exports)) return { exports };
  if (replaceMember(exports, name, wrapped)) return { exports };
  return { exports: copyWith(exports, name, wrapped) };
}

function memberOf(exports: unknown, steps: readonly string[]): unknown {
  const [first = ""] = steps;
  let found: unknown = exports;
  if (isObject(exports) && !(first in exports) && isObject(exports["default"])) {
    found = exports["default"];
  }
  for (const step of steps) found = isObject(found) ? found[step] : undefined;
  return found;
}

function isObject(value: unknown): value is Members {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Assigns where that works, else redefines; keeps what the property was otherwise. */
function replaceMember(target: Members, name: string, value: AnyFunction): boolean {
  try {
    const own = Object.getOwnPropertyDescriptor(target, name);
    if (own?.writable || (own === undefined && Object.isExtensible(target))) {
      target[name] = value;
    } else if (own?.configurable) {
      Object.defineProperty(target, name, { configurable: true, enumerable: true, value });
    } else {
      return false;
    }
    return target[name] === value;
  } catch {
    return false;
  }
}

/** For a module namespace, or exports made of getters: the same members, one of them another. */
function copyWith(exports: Members, name: string, value: AnyFunction): unknown {
  const copy = Object.create(Object.getPrototypeOf(exports) as object | null) as Members;
  for (const key of Reflect.ownKeys(exports)) {
    if (key === name) Object.defineProperty(copy, key, { enumerable: true, value });
    else Object.defineProperty(copy, key, { enumerable: true, get: () => exports[key] });
  }
  return copy;
}

function missing(path: string, exports: unknown): string {
  const names = isObject(exports) ? Object.keys(exports).slice(0, 10).join(", ") : "";
  return `has no function ${path}; it exports: ${names || "nothing"}`;
}

function classHint(name: string): string {
  return `exports the class ${name}; name a method of it, such as ${name}.prototype.predict`;
}
