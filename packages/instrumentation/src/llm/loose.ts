/** Reading what other libraries return, whose shapes nobody promises. */

/** Any object, its members unknown. */
export type Loose = Readonly<Record<string, unknown>>;

const EMPTY: Loose = {};

/** The value as an object, which a function is too; without members when it is none. */
export function loose(value: unknown): Loose {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject ? (value as Loose) : EMPTY;
}

/** The value as a list; empty when it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value as a finite number. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Whether something is there to be read: a text that is not empty, or a list that is not. */
export function holds(value: unknown): boolean {
  if (typeof value === "string" || Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null;
}
