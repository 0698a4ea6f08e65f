/** What is no HTTP request, or does not become one in time: the answer of last resort. */
import type { Socket } from "node:net";
import { encodeStatus, OTLP_FAULTS, OtlpError } from "./otlp-error.js";

/**
 * Answers on the bare socket, where there is no response to write to, and ends the connection.
 * Nobody knows what the client would have sent, so the Status is in protobuf.
 * @returns the HTTP status; `aborted` when there is nobody left to tell
 */
export function brokenRequest(error: NodeJS.ErrnoException, socket: Socket): string {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return "aborted";
  }
  const known = faultOf(error);
  const body = encodeStatus(known, false);
  const { status } = OTLP_FAULTS[known.fault];
  const head =
    `HTTP/1.1 ${status} ${REASONS[status]}\r\n` +
    "Content-Type: application/x-protobuf\r\n" +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), Buffer.from(body as Uint8Array)]));
  socket.destroySoon();
  return String(status);
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function faultOf(error: NodeJS.ErrnoException): OtlpError {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new OtlpError("tooSlow", "the request did not arrive in time");
  }
  if (error.code === "HPE_HEADER_OVERFLOW") {
    return new OtlpError("headersTooLarge", "the headers are larger than 16 KiB");
  }
  return new OtlpError("badData", `no HTTP request: ${error.message}`);
}
