/**
 * OTLP's JSON form: the protobuf JSON mapping with hex ids.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import type { Field, Message, MessageName } from "./schema.ts";
import { isMessage, SCHEMA } from "./schema.ts";

/** A message as the value that `JSON.stringify` takes; 64-bit integers become strings. */
export function toJson(name: MessageName, message: Message): Record<string, unknown> {
  const members = Object.entries(message).map(([key, value]) => {
    const field = SCHEMA[name][key];
    if (field === undefined) throw new Error(`${name} has no field ${key}`);
    const json = field.repeated
      ? (value as readonly unknown[]).map((element) => valueToJson(field.type, element))
      : valueToJson(field.type, value);
    return [key, json] as const;
  });
  return Object.fromEntries(members);
}

function valueToJson(type: Field["type"], value: unknown): unknown {
  if (isMessage(type)) return toJson(type, value as Message);
  if (type === "id") return (value as Buffer).toString("hex");
  if (type === "bytes") return (value as Buffer).toString("base64");
  if (typeof value === "bigint") return String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** A message from parsed JSON; fields that the schema does not know are left out. */
export function fromJson(name: MessageName, json: Record<string, unknown>): Message {
  const members = Object.entries(json).flatMap(([key, value]) => {
    const field = Object.hasOwn(SCHEMA[name], key) ? SCHEMA[name][key] : undefined;
    if (field === undefined || value === null) return [];
    const decoded = field.repeated
      ? (value as readonly unknown[]).map((element) => valueFromJson(field.type, element))
      : valueFromJson(field.type, value);
    return [[key, decoded] as const];
  });
  return Object.fromEntries(members);
}

function valueFromJson(type: Field["type"], value: unknown): unknown {
  if (isMessage(type)) return fromJson(type, value as Record<string, unknown>);
  if (type === "id") return Buffer.from(value as string, "hex");
  if (type === "bytes") return Buffer.from(value as string, "base64");
  if (type === "int64" || type === "fixed64") return BigInt(value as string | number);
  return type === "double" ? Number(value) : value;
}
