/**
 * How a gRPC call says what became of it, in trailers.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 * https://opentelemetry.io/docs/specs/otlp/#failures
 */
import { RetryInfo, RpcStatus } from "../otlp/schema.js";
import type { OtlpError } from "./otlp-error.js";
import { OTLP_FAULTS } from "./otlp-error.js";

/** Trailers of a call that succeeded. */
export const GRPC_OK = { "grpc-status": "0" } as const;

/** Trailers are sent within a header block, for which clients allow 8 KiB or more. */
const MESSAGE_CHARACTERS_MAX = 1024;

/**
 * Trailers of a call that failed. Only what may be tried again says when: clients take RetryInfo as
 * leave to send the same data again.
 */
export function grpcFailure(error: OtlpError): Record<string, string> {
  const { code, retrySeconds } = OTLP_FAULTS[error.fault];
  const message = error.message.slice(0, MESSAGE_CHARACTERS_MAX);
  const trailers = { "grpc-status": String(code), "grpc-message": percentEncode(message) };
  if (retrySeconds === 0) return trailers;
  const retryInfo = RetryInfo.encode({ retryDelay: { seconds: retrySeconds } }).finish();
  const detail = { typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: retryInfo };
  const status = RpcStatus.encode({ code: code, message, details: [detail] }).finish();
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
