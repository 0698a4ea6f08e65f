/**
 * What an OTLP endpoint says of a batch that it has taken: `ExportTraceServiceResponse` with its
 * partial success (field 1): how many spans it rejected (1), and why (2).
 * https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */

const PARTIAL_SUCCESS = 0x0a;
const REJECTED_SPANS = 0x08;
const ERROR_MESSAGE = 0x12;
const MESSAGE_LENGTH_MAX = 200;

/** The spans that were rejected, if any; a response that makes no sense rejects none. */
export function rejectedSpans(body: Uint8Array): { rejected?: number; error?: Error } {
  if (body[0] !== PARTIAL_SUCCESS) return {};
  const reader = { body, at: 1 };
  const end = Math.min(varint(reader) + reader.at, body.length);
  let rejected = 0;
  let message = "";
  while (reader.at < end) {
    const tag = varint(reader);
    const value = varint(reader);
    if (tag === REJECTED_SPANS) rejected = value;
    else if (tag === ERROR_MESSAGE) {
      message = Buffer.from(body.subarray(reader.at, reader.at + value)).toString();
      reader.at += value;
    } else break;
  }
  if (rejected === 0) return {};
  const why = message.slice(0, MESSAGE_LENGTH_MAX) || "it rejected them";
  return { rejected, error: new Error(why) };
}

function varint(reader: { readonly body: Uint8Array; at: number }): number {
  let value = 0;
  let factor = 1;
  for (; reader.at < reader.body.length; factor *= 0x80) {
    const byte = reader.body[reader.at++] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return value;
}
