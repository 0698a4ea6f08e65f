/**
 * Inflates zstd, all frames of it: Node's own function stops after the first and says nothing.
 * https://www.rfc-editor.org/rfc/rfc8878#section-3 (a body is a sequence of frames)
 */
import { kMaxLength } from "node:buffer";
import { constants, zstdDecompressSync } from "node:zlib";

/** Large pieces: small chunks cost twice as much. */
const CHUNK_BYTES = 256 * 1024;
/** Each frame costs a decoder of its own, some 50 µs: 50 ms at most for a body of tiny frames. */
const FRAMES_MAX = 1024;
/** What every decoder should allow (RFC 8878), and the most that zstd allows of itself. */
const WINDOW_LOG_LOWEST = 23;
const WINDOW_LOG_HIGHEST = 27;

/**
 * The content of all frames of `body`; it stops inflating at `bytesMax`. A window that is larger
 * than the content may be has no use, so memory stays in proportion to `bytesMax` too.
 * @throws Error from zlib; its `code` is ERR_BUFFER_TOO_LARGE beyond `bytesMax`
 */
export function inflateZstd(body: Uint8Array, bytesMax: number): Uint8Array {
  const windowLog = Math.min(
    Math.max(Math.ceil(Math.log2(bytesMax)), WINDOW_LOG_LOWEST),
    WINDOW_LOG_HIGHEST,
  );
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  const parts: Uint8Array[] = [];
  let inflatedBytes = 0;
  let rest = body;
  do {
    if (parts.length === FRAMES_MAX) throw new Error(`more than ${FRAMES_MAX} frames`);
    // A frame may be empty, and a bound of 0 cannot be said: one byte too many is told below.
    const maxOutputLength = Math.min(bytesMax - inflatedBytes + 1, kMaxLength);
    const { buffer, engine } = inflateFrame(rest, { params, maxOutputLength });
    inflatedBytes += buffer.length;
    if (inflatedBytes > bytesMax) throw new TooLargeError();
    parts.push(buffer);
    rest = rest.subarray(engine.bytesWritten);
  } while (rest.length > 0);
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, inflatedBytes);
}

class TooLargeError extends Error {
  readonly code = "ERR_BUFFER_TOO_LARGE";
}

/** `info` is part of Node's API and not yet of its types. */
function inflateFrame(rest: Uint8Array, options: object) {
  return zstdDecompressSync(rest, {
    ...options,
    chunkSize: CHUNK_BYTES,
    info: true,
  }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
}
