/** One text for all messages that mean the same, however they were encoded on their way. */
import type { Message } from "./schema.ts";

/**
 * The message as text: members sorted, and without the fields that hold their default, since an
 * encoder may or may not write those. An attribute's value keeps its default: there, it tells
 * `false` from nothing.
 */
export function canonical(message: Message): string {
  return JSON.stringify(plain(message));
}

const ATTRIBUTE_VALUE = /^(?:string|bool|int|double|array|kvlist|bytes)Value$/;

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value)
    .filter(([key, member]) => ATTRIBUTE_VALUE.test(key) || !isDefault(member))
    .map(([key, member]) => [key, plain(member)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members);
}

function isDefault(value: unknown): boolean {
  if (Array.isArray(value) || Buffer.isBuffer(value)) return value.length === 0;
  if (typeof value === "object") return Object.keys(value as object).length === 0;
  return value === 0 || value === 0n || value === "" || value === false;
}
