/**
 * The spans of one request, collected as bytes: a buffer for each scope, which the request's body
 * is put together from. Buffers are used again, so a steady load allocates only bodies.
 */
import type { Attributes } from "@opentelemetry/api";
import { ByteWriter, varintBytes } from "./byte-writer.js";
import type { EndedSpan } from "./span-bytes.js";
import { writeAttributes, writeCount, writeSpan, writeText } from "./span-bytes.js";

/** Who made a span; compared by identity, as the SDK makes one for each tracer. */
export interface Scope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** What made all spans of a process; its attributes may only be known after a while. */
export interface BatchResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
}

/** What belongs to one scope. */
interface ScopePart {
  /** `InstrumentationScope` as field 1 of `ScopeSpans`. */
  readonly head: Uint8Array;
  /** `schema_url` as field 3. */
  readonly tail: Uint8Array;
  readonly writer: ByteWriter;
}

/** All length-delimited; the fields of every message used here are below 16. */
const field = (number: number) => (number << 3) | 2;
const RESOURCE_SPANS = field(1);
const SCOPE_SPANS = field(2);
const SPAN = field(2);
/** An app has about twenty scopes; one that makes up names for them must not grow this. */
const SCOPES_MAX = 200;
/** A buffer that a burst has made larger than this is given back. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** Spans that have ended and are not yet on their way. */
export class SpanBatch {
  spans = 0;
  bytes = 0;
  private readonly scopes = new Map<Scope, ScopePart>();

  /** Writes a span down; when that throws, nothing of the span is left. */
  add(span: EndedSpan, scope: Scope): void {
    const { writer } = this.scopes.get(scope) ?? this.part(scope);
    const before = writer.length;
    try {
      writer.reserve(1);
      writer.byte(SPAN);
      writeSpan(writer, span);
    } catch (error) {
      writer.length = before;
      throw error;
    }
    this.spans++;
    this.bytes += writer.length - before;
  }

  /** Takes back a span of so many bytes that has just been added. */
  dropLast(scope: Scope, bytes: number): void {
    const part = this.scopes.get(scope);
    if (part === undefined) return;
    part.writer.length -= bytes;
    this.spans--;
    this.bytes -= bytes;
  }

  /** Everything added since the last time, as the `ScopeSpans` of one `ResourceSpans`. */
  take(): Uint8Array {
    const parts = [...this.scopes.values()].filter(({ writer }) => writer.length > 0);
    let size = 0;
    for (const part of parts) size += framed(partSize(part));
    const target = new BodyCursor(size);
    for (const part of parts) {
      target.head(SCOPE_SPANS, partSize(part));
      target.put(part.head);
      target.put(part.writer.bytes.subarray(0, part.writer.length));
      target.put(part.tail);
    }
    this.clear();
    return target.body;
  }

  private clear(): void {
    this.spans = 0;
    this.bytes = 0;
    if (this.scopes.size > SCOPES_MAX) this.scopes.clear();
    for (const [scope, { writer }] of this.scopes) {
      if (writer.bytes.length > KEPT_BYTES_MAX) this.scopes.delete(scope);
      writer.length = 0;
    }
  }

  private part(scope: Scope): ScopePart {
    const head = message(1, (writer) => {
      writeText(writer, 1, scope.name);
      if (scope.version) writeText(writer, 2, scope.version);
      writeAttributes(writer, 3, scope.attributes ?? {});
      writeCount(writer, 4, scope.droppedAttributesCount ?? 0);
    });
    const part = { head, tail: textMessage(3, scope.schemaUrl), writer: new ByteWriter() };
    this.scopes.set(scope, part);
    return part;
  }
}

/**
 * What precedes the bytes of `take` in an `ExportTraceServiceRequest`. Fields of a message may come
 * in any order, so the resource and both of its fields do.
 */
export function requestHead(resource: BatchResource, scopes: Uint8Array): Uint8Array {
  const own = message(1, (writer) => writeAttributes(writer, 1, resource.attributes));
  const schema = textMessage(3, resource.schemaUrl);
  const size = own.length + schema.length + scopes.length;
  const target = new BodyCursor(framed(size) - scopes.length);
  target.head(RESOURCE_SPANS, size);
  target.put(own);
  target.put(schema);
  return target.body;
}

/** Fills bytes whose number is known. */
class BodyCursor {
  readonly body: Uint8Array;
  private at = 0;

  constructor(size: number) {
    this.body = Buffer.allocUnsafeSlow(size);
  }

  head(tag: number, size: number): void {
    this.body[this.at++] = tag;
    let rest = size;
    while (rest > 0x7f) {
      this.body[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.body[this.at++] = rest;
  }

  put(bytes: Uint8Array): void {
    this.body.set(bytes, this.at);
    this.at += bytes.length;
  }
}

function partSize({ head, writer, tail }: ScopePart): number {
  return head.length + writer.length + tail.length;
}

/** The size of a message with its tag and length. */
function framed(size: number): number {
  return 1 + varintBytes(size) + size;
}

function message(number: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(field(number));
  const start = writer.open(0);
  write(writer);
  writer.close(start, 0);
  return writer.written();
}

function textMessage(number: number, text: string | undefined): Uint8Array {
  const writer = new ByteWriter();
  if (text) writeText(writer, number, text);
  return writer.written();
}
