/**
 * Protobuf's binary form: whole messages by the schema, and the pieces of it, so that a case can
 * also write what no encoder would.
 * https://protobuf.dev/programming-guides/encoding/
 */
import type { Field, Message, MessageName, ScalarType } from "./schema.ts";
import { isMessage, SCHEMA } from "./schema.ts";

/** The wire types; groups are deprecated, but still have to be skipped. */
export const WIRE = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;

const MASK_64 = 0xffff_ffff_ffff_ffffn;
/** A varint of 64 bits has at most ten bytes. */
const VARINT_BYTES_MAX = 10;

/** Bytes that are not what they should be. */
export class BinaryError extends Error {
  override readonly name = "BinaryError";
}

/** A varint; negative numbers in two's complement of 64 bits, as protobuf writes them. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) & MASK_64;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A field's number with its wire type. */
export function tag(number: number, wire: number): Buffer {
  return varint(BigInt(number) * 8n + BigInt(wire));
}

/** A length-delimited field. */
export function bytesField(number: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([tag(number, WIRE.bytes), varint(body.length), body]);
}

/** A message in binary form, fields in the order of the object's properties. */
export function encodeBinary(name: MessageName, message: Message): Buffer {
  const fields = Object.entries(message).flatMap(([key, value]) => {
    const field = fieldNamed(name, key);
    const values = field.repeated ? (value as readonly unknown[]) : [value];
    return values.map((element) => encodeField(field, element));
  });
  return Buffer.concat(fields);
}

function fieldNamed(name: MessageName, key: string): Field {
  const field = SCHEMA[name][key];
  if (field === undefined) throw new Error(`${name} has no field ${key}`);
  return field;
}

function encodeField({ number, type }: Field, value: unknown): Buffer {
  if (isMessage(type)) return bytesField(number, encodeBinary(type, value as Message));
  if (type === "string") return bytesField(number, Buffer.from(value as string));
  if (type === "bytes" || type === "id") return bytesField(number, value as Buffer);
  const wire = wireOf(type);
  const content = Buffer.alloc(wire === WIRE.fixed32 ? 4 : 8);
  if (type === "fixed32") content.writeUInt32LE(value as number);
  else if (type === "fixed64") content.writeBigUInt64LE(value as bigint);
  else if (type === "double") content.writeDoubleLE(value as number);
  else
    return Buffer.concat([
      tag(number, wire),
      varint(type === "bool" ? Number(value) : (value as bigint)),
    ]);
  return Buffer.concat([tag(number, wire), content]);
}

function wireOf(type: ScalarType | MessageName): number {
  if (type === "fixed64" || type === "double") return WIRE.fixed64;
  if (type === "fixed32") return WIRE.fixed32;
  return type === "bool" || type === "int64" || type === "uint32" ? WIRE.varint : WIRE.bytes;
}

/**
 * A message from its binary form, with the fields that the schema knows and the bytes have.
 * @throws BinaryError when the bytes are no such message.
 */
export function decodeBinary(name: MessageName, bytes: Buffer): Message {
  const names = new Map(Object.entries(SCHEMA[name]).map(([key, field]) => [field.number, key]));
  const message: Record<string, unknown> = {};
  for (const { number, wire, value } of fieldsOf(bytes)) {
    const key = names.get(number);
    if (key === undefined) continue;
    const field = fieldNamed(name, key);
    if (wire !== wireOf(field.type)) {
      throw new BinaryError(`field ${number} of ${name} has wire type ${wire}`);
    }
    const decoded = decodeValue(field.type, value);
    if (field.repeated) message[key] = [...((message[key] as unknown[]) ?? []), decoded];
    else message[key] = decoded;
  }
  return message;
}

function decodeValue(type: Field["type"], value: bigint | Buffer): unknown {
  if (isMessage(type)) return decodeBinary(type, value as Buffer);
  if (type === "string") return new TextDecoder("utf-8", { fatal: true }).decode(value as Buffer);
  if (type === "bool") return value !== 0n;
  if (type === "int64") return BigInt.asIntN(64, value as bigint);
  if (type === "uint32") return Number(value);
  if (type === "fixed32") return (value as Buffer).readUInt32LE();
  if (type === "fixed64") return (value as Buffer).readBigUInt64LE();
  return type === "double" ? (value as Buffer).readDoubleLE() : value;
}

interface WireField {
  readonly number: number;
  readonly wire: number;
  readonly value: bigint | Buffer;
}

/** The fields of a message in the order of its bytes. */
export function fieldsOf(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new BinaryError("a varint is cut off");
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return value & MASK_64;
    }
    throw new BinaryError("a varint has more than ten bytes");
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new BinaryError("a field is cut off");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = readVarint();
    const number = Number(key >> 3n);
    const wire = Number(key & 7n);
    if (number === 0) throw new BinaryError("there is no field 0");
    if (wire === WIRE.varint) fields.push({ number, wire, value: readVarint() });
    else if (wire === WIRE.fixed64) fields.push({ number, wire, value: take(8) });
    else if (wire === WIRE.bytes) fields.push({ number, wire, value: take(Number(readVarint())) });
    else if (wire === WIRE.fixed32) fields.push({ number, wire, value: take(4) });
    else throw new BinaryError(`wire type ${wire} is not used here`);
  }
  return fields;
}
