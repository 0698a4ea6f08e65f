/** Reading a request's body within bounds, and inflating it within bounds. */
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { inflateZstd } from "../otlp/zstd-frames.js";
import { ByteCollector } from "./byte-collector.js";
import type { Room } from "./intake.js";
import { OtlpError } from "./otlp-error.js";

/** Compressions that a body may come in, beside none; what clients are told that they may send. */
export const CONTENT_ENCODINGS: readonly string[] = ["gzip", "zstd"];

/** Large pieces: the streaming form and small chunks cost twice as much. */
const INFLATE_CHUNK_BYTES = 256 * 1024;

/**
 * Collects a body of at most `bytesMax` bytes. One of unknown length takes its room as it comes.
 * @throws OtlpError `tooLarge` as soon as the announced or received length passes the bound,
 * `overloaded` when there is no room for more.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  room: Room,
): Promise<Uint8Array> {
  const announced = request.headers["content-length"];
  if (Number(announced ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const body = new ByteCollector(announced === undefined ? undefined : Number(announced));
    let refused = false;
    // What still comes is read and thrown away, so that the client gets to see the answer.
    const refuse = (error: Error) => {
      refused = true;
      reject(error);
    };
    request.on("data", (chunk: Buffer) => {
      if (refused) return;
      if (body.length + chunk.length > bytesMax) return refuse(tooLarge(bytesMax));
      try {
        if (announced === undefined) room.grow(chunk.length);
        body.push(chunk);
      } catch (error) {
        refuse(error as Error);
      }
    });
    request.once("end", () => resolve(body.bytes()));
    request.once("error", reject);
    request.once("close", () => {
      // An error costs a stack trace: it is made only for a body that has not come to its end.
      if (!request.complete) reject(new OtlpError("badData", "the body was cut off"));
    });
  });
}

/**
 * The body without its compression; stops inflating at `bytesMax`.
 * @throws OtlpError `tooLarge`, `badEncoding` or `unknownEncoding`.
 */
export function inflate(body: Uint8Array, encoding: string, bytesMax: number): Uint8Array {
  if (encoding === "") return body;
  checkEncoding(encoding);
  try {
    if (encoding === "zstd") return inflateZstd(body, bytesMax);
    return gunzipSync(body, { maxOutputLength: bytesMax, chunkSize: INFLATE_CHUNK_BYTES });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    throw new OtlpError("badEncoding", `the body is no valid ${encoding}: ${message}`);
  }
}

/**
 * Frees what `inflate` has made, which nobody may read any longer; left to the garbage collector it
 * would have it mark the whole heap (see garbage-collection.ts). A body that came plain stays.
 */
export function freeInflated(inflated: Uint8Array, body: Uint8Array): void {
  const { buffer } = inflated;
  if (buffer === body.buffer || buffer.byteLength < INFLATE_CHUNK_BYTES) return;
  if (!(buffer instanceof SharedArrayBuffer)) buffer.transfer(0);
}

/** @throws OtlpError `unknownEncoding` when bodies of this compression cannot be read */
export function checkEncoding(encoding: string): void {
  if (encoding === "" || CONTENT_ENCODINGS.includes(encoding)) return;
  throw new OtlpError(
    "unknownEncoding",
    `the encoding "${encoding}" is not supported; send ${CONTENT_ENCODINGS.join(", ")} or none`,
  );
}

/** What a client is told whose body passes the bound, on the wire or inflated. */
export function tooLarge(bytesMax: number): OtlpError {
  return new OtlpError(
    "tooLarge",
    `the body is larger than ${bytesMax} bytes; of receivers.otlp.protocols, ` +
      "http.max_request_body_size and grpc.max_recv_msg_size set the bounds",
  );
}
