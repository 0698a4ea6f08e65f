/**
 * How a gRPC call says what became of it, in trailers.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 * https://opentelemetry.io/docs/specs/otlp/#failures
 */
import type { OtlpError } from "./otlp-error.js";
import { encodeStatus, OTLP_FAULTS, statusDetails } from "./otlp-error.js";

/** Trailers of a call that succeeded. */
export const GRPC_OK = { "grpc-status": "0" } as const;

/** Trailers of a call that failed. */
export function grpcFailure(error: OtlpError): Record<string, string> {
  const { code } = OTLP_FAULTS[error.fault];
  const trailers = { "grpc-status": String(code), "grpc-message": percentEncode(error.message) };
  if (statusDetails(error).length === 0) return trailers;
  const status = encodeStatus(error, false) as Uint8Array;
  return { ...trailers, "grpc-status-details-bin": base64(status) };
}

/** Printable ASCII stays; all else, and the percent sign, become `%XX` of their UTF-8 bytes. */
function percentEncode(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("latin1")
    .replaceAll(/[^\x20-\x24\x26-\x7e]/g, (byte) => {
      return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
    });
}

/** Binary values go without padding, as the protocol asks. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
