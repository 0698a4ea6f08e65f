/** A logged body with annotations on its flagged spans, compressed as it came. */
import { kMaxLength } from "node:buffer";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { LoggedBody } from "../log/log-record.js";
import type { SpanFlag } from "../otlp/annotate-spans.js";
import { annotateSpans } from "../otlp/annotate-spans.js";
import { inflateZstd } from "../otlp/zstd-frames.js";

/** A short time matters more than a few bytes: only flagged batches come here. */
const GZIP_LEVEL = 1;

/**
 * The body to send on. Without flags it is the very bytes that came; JSON bodies, whose numbers a
 * parser might round, are never rewritten.
 */
export function annotatedBody(logged: LoggedBody, flags: readonly SpanFlag[]): Uint8Array {
  const { body, contentType, contentEncoding } = logged;
  if (flags.length === 0 || contentType === "application/json") return body;
  const key = ATTRIBUTES.driftOutlier.name;
  if (contentEncoding === "gzip") {
    return gzipSync(annotateSpans(gunzipSync(body), key, flags), { level: GZIP_LEVEL });
  }
  if (contentEncoding === "zstd") {
    return zstdCompressSync(annotateSpans(inflateZstd(body, kMaxLength), key, flags));
  }
  return annotateSpans(body, key, flags);
}
