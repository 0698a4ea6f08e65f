/** Reading a request's body within bounds, and inflating it within bounds. */
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { OtlpError } from "./otlp-error.js";

/** Large pieces: the streaming form and small chunks cost twice as much. */
const INFLATE_CHUNK_BYTES = 256 * 1024;

/**
 * Collects a body of at most `bytesMax` bytes.
 * @throws OtlpError `tooLarge` as soon as the announced or received length passes the bound.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      // What still comes is read and thrown away, so that the client gets to see the answer.
      if (size > bytesMax) {
        chunks.length = 0;
        reject(tooLarge(bytesMax));
      } else chunks.push(chunk);
    });
    request.once("end", () => {
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    });
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
  if (encoding !== "gzip") {
    throw new OtlpError(
      "unknownEncoding",
      `Content-Encoding "${encoding}" is not supported; send gzip or none`,
    );
  }
  try {
    return gunzipSync(body, { maxOutputLength: bytesMax, chunkSize: INFLATE_CHUNK_BYTES });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    throw new OtlpError("badEncoding", `the body is no valid gzip: ${message}`);
  }
}

function tooLarge(bytesMax: number): OtlpError {
  return new OtlpError(
    "tooLarge",
    `the body is larger than ${bytesMax} bytes; ` +
      "receivers.otlp.protocols.http.max_request_body_size sets the bound",
  );
}
