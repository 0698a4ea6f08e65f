/**
 * Path expressions of the configuration, such as `args[0].user["tenant-id"]` or `result.id`: where
 * in a call's arguments or result a value is found. A path only reads; it never calls. `args.0.id`
 * is the same as `args[0].id`, for YAML's flow style, where a bracket has a meaning of its own.
 */
import { keyedHash } from "./keyed-hash.js";

/** A parsed path. */
export interface ValuePath {
  readonly root: "args" | "result";
  readonly steps: readonly string[];
  /** Whether the value leaves the process as a keyed hash only: `hash(args[0].email)`. */
  readonly hashed?: true;
}

const STEP = /\.([A-Za-z_$][\w$-]*|\d+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]/y;
/** Longer values name nothing that one could monitor by; 256 is also the receiver's key bound. */
const TEXT_LENGTH_MAX = 256;

/** Parses a path, or returns undefined when it is not one. */
export function parseValuePath(written: string): ValuePath | undefined {
  const inner = /^hash\((.*)\)$/.exec(written)?.[1];
  const text = inner ?? written;
  const root = /^(?:args|result)/.exec(text)?.[0];
  if (root !== "args" && root !== "result") return undefined;
  const steps: string[] = [];
  STEP.lastIndex = root.length;
  while (STEP.lastIndex < text.length) {
    const step = STEP.exec(text);
    if (step === null) return undefined;
    steps.push(step[1] ?? step[2] ?? step[3] ?? step[4] ?? "");
  }
  return { root, steps, ...(inner !== undefined && { hashed: true as const }) };
}

/** A path as it can be written, for complaints. */
export function pathText({ root, steps, hashed }: ValuePath): string {
  const written = steps.map((step) => {
    if (/^\d+$/.test(step)) return `[${step}]`;
    return /^[A-Za-z_$][\w$-]*$/.test(step) ? `.${step}` : `["${step}"]`;
  });
  const path = root + written.join("");
  return hashed ? `hash(${path})` : path;
}

/**
 * The string, number or boolean at a path, as a string; undefined when there is none. A getter on
 * the way may throw: that is the caller's to guard.
 */
export function valueAt(path: ValuePath, root: unknown): string | undefined {
  const value = memberAt(path, root);
  if (!["string", "number", "boolean"].includes(typeof value)) return undefined;
  const text = String(value);
  return path.hashed ? keyedHash(text) : text.slice(0, TEXT_LENGTH_MAX);
}

/** Whatever is at a path. */
export function memberAt(path: ValuePath, root: unknown): unknown {
  let value = root;
  for (const step of path.steps) {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
