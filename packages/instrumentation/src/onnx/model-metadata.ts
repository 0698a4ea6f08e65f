/**
 * Reads what an ONNX model says about itself, which ONNX Runtime does not expose to JavaScript:
 * ModelProto's fields 2 (producer_name), 4 (domain), 5 (model_version) and 14 (metadata_props).
 * The graph, field 7, is stepped over and never read, so a file of gigabytes costs a few reads.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What a model says about itself. */
export interface ModelMetadata {
  /** `metadata_props`, by key; the last one of a key holds. */
  readonly props: ReadonlyMap<string, string>;
  /** 0 when the file states none. */
  readonly modelVersion: number;
  readonly producerName: string;
  readonly domain: string;
}

/** The bytes are no ONNX model, or not a whole one. */
export class OnnxFormatError extends Error {
  override readonly name = "OnnxFormatError";
}

const FIELD_PRODUCER_NAME = 2;
const FIELD_DOMAIN = 4;
const FIELD_MODEL_VERSION = 5;
const FIELD_METADATA_PROPS = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

/** A model has about ten kinds of fields; only functions and operator sets repeat. */
const FIELDS_MAX = 100_000;
const PROPS_MAX = 256;
/** Longer entries, such as a training log that somebody stored, are stepped over. */
const ENTRY_BYTES_MAX = 65_536;
/** One read covers all that precedes the graph, and usually all that follows it. */
const CHUNK_BYTES = 65_536;
/** 256 entries of 64 KB are 16 MB; models that are meant to be read have a few KB. */
const READ_BYTES_MAX = 16 * 1024 * 1024;
const VARINT_BYTES_MAX = 10;

/** Random access to a model's bytes. */
interface ByteSource {
  readonly size: number;
  /** At most `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Uint8Array;
}

/**
 * Reads a model file. Synchronous: a few reads of 64 KB, before the runtime reads the whole file.
 * @throws OnnxFormatError when it is no ONNX model; an Error of `fs` when it cannot be read.
 */
export function readModelFile(path: string): ModelMetadata {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size));
    return readModel({
      size,
      read(offset, length) {
        const target = length <= buffer.length ? buffer : new Uint8Array(length);
        const got = readSync(file, target, 0, Math.min(length, target.length), offset);
        return target.subarray(0, got);
      },
    });
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a model that is in memory.
 * @throws OnnxFormatError when it is no ONNX model.
 */
export function readModelBytes(bytes: Uint8Array): ModelMetadata {
  return readModel({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
}

function readModel(source: ByteSource): ModelMetadata {
  if (source.size === 0) throw new OnnxFormatError("the model is empty");
  const cursor = new Cursor(source);
  const props = new Map<string, string>();
  const model = { props, modelVersion: 0, producerName: "", domain: "" };
  for (let fields = 0; !cursor.atEnd(); fields++) {
    if (fields >= FIELDS_MAX) throw new OnnxFormatError(`more than ${FIELDS_MAX} fields`);
    const { field, wireType } = cursor.tag();
    const known = wireType === WIRE_LENGTH ? field : -1;
    if (field === FIELD_MODEL_VERSION && wireType === WIRE_VARINT) {
      model.modelVersion = cursor.varint();
    } else if (known === FIELD_PRODUCER_NAME) model.producerName = cursor.text();
    else if (known === FIELD_DOMAIN) model.domain = cursor.text();
    else if (known === FIELD_METADATA_PROPS) readEntry(cursor.bytes(), props);
    else cursor.skip(wireType);
  }
  return model;
}

/** A StringStringEntryProto; an entry without a key, or beyond the bounds, is left out. */
function readEntry(bytes: Uint8Array, props: Map<string, string>): void {
  const cursor = new Cursor({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  let key = "";
  let value = "";
  while (!cursor.atEnd()) {
    const { field, wireType } = cursor.tag();
    if (field === ENTRY_KEY && wireType === WIRE_LENGTH) key = cursor.text();
    else if (field === ENTRY_VALUE && wireType === WIRE_LENGTH) value = cursor.text();
    else cursor.skip(wireType);
  }
  if (key !== "" && (props.size < PROPS_MAX || props.has(key))) props.set(key, value);
}

const decoder = new TextDecoder();

/** Walks protobuf fields; every length is checked against the source's size before it is used. */
class Cursor {
  private readonly source: ByteSource;
  private offset = 0;
  private chunk: Uint8Array = new Uint8Array(0);
  private chunkStart = 0;
  private readBytes = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  atEnd(): boolean {
    return this.offset >= this.source.size;
  }

  tag(): { field: number; wireType: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (field === 0 || field > 0x1fff_ffff) throw this.broken("a field number is not valid");
    return { field, wireType: tag % 8 };
  }

  /** An unsigned varint; exact up to 2^53, which covers lengths and every sensible version. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw this.broken("a number has more than ten bytes");
  }

  /** The bytes of a length-delimited field; empty when it is longer than an entry may be. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.offset;
    this.advance(length);
    if (length > ENTRY_BYTES_MAX) return new Uint8Array(0);
    return this.at(start, length).slice();
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_LENGTH) this.advance(this.varint());
    else if (wireType === WIRE_FIXED64) this.advance(8);
    else if (wireType === WIRE_FIXED32) this.advance(4);
    else throw this.broken(`the wire type ${wireType} does not exist in ONNX`);
  }

  private advance(count: number): void {
    if (count > this.source.size - this.offset) throw this.broken("a field reaches past the end");
    this.offset += count;
  }

  private byte(): number {
    if (this.atEnd()) throw this.broken("the model ends within a field");
    const byte = this.at(this.offset, 1)[0] as number;
    this.offset++;
    return byte;
  }

  private at(start: number, length: number): Uint8Array {
    const held = start - this.chunkStart;
    if (held < 0 || held + length > this.chunk.length) {
      this.chunk = this.source.read(start, Math.max(CHUNK_BYTES, length));
      this.chunkStart = start;
      this.readBytes += this.chunk.length;
      if (this.readBytes > READ_BYTES_MAX) throw this.broken("too much metadata");
      if (this.chunk.length < length)
        throw this.broken("the file became shorter while it was read");
    }
    const from = start - this.chunkStart;
    return this.chunk.subarray(from, from + length);
  }

  private broken(what: string): OnnxFormatError {
    return new OnnxFormatError(`no ONNX model: ${what} (at byte ${this.offset})`);
  }
}
