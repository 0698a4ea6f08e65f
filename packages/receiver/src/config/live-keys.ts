/** Which keys of the configuration take effect in a running receiver, and which need a restart. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./schema.js";

/** Keys, with all below them, that are taken up at once. */
export const LIVE_KEYS: readonly string[] = [
  "processors.references",
  "processors.learn",
  "processors.evaluate.shift",
  "processors.evaluate.falseAlarmsPerFeatureYear",
  "processors.evaluate.falseWarningsPerFeatureYear",
  "service.telemetry.logs.level",
];

/** Keys that differ, and that the running receiver keeps as they were. */
export function keysForRestart(running: Config, changed: Config): string[] {
  const { warnings: _, ...before } = running;
  const { warnings: __, ...after } = changed;
  return differences(before, after, "").filter(
    (key) => !LIVE_KEYS.some((live) => key === live || key.startsWith(`${live}.`)),
  );
}

function differences(before: unknown, after: unknown, path: string): string[] {
  const [a, b] = [membersOf(before), membersOf(after)];
  if (a === undefined || b === undefined) return isDeepStrictEqual(before, after) ? [] : [path];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], path ? `${path}.${key}` : key));
}

/** Lists are compared as a whole: an index says little. */
function membersOf(value: unknown): Record<string, unknown> | undefined {
  if (value instanceof Map) return Object.fromEntries(value) as Record<string, unknown>;
  const isPlain = typeof value === "object" && value !== null && !Array.isArray(value);
  return isPlain && !(value instanceof URL) ? (value as Record<string, unknown>) : undefined;
}
