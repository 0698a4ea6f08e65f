/**
 * Every way in which a request can fail, in one table: HTTP status, google.rpc code, whether the
 * client may try again.
 * https://opentelemetry.io/docs/specs/otlp/#failures and google.rpc.Code
 */
import { RpcStatus } from "../otlp/schema.js";

/** What went wrong with a request. */
export type OtlpFault = keyof typeof OTLP_FAULTS;

/**
 * The table of faults. `retrySeconds` above 0 means that the client should try again. gRPC answers
 * with `code`, and is counted under `status` too, so that one rule watches both transports.
 */
export const OTLP_FAULTS = {
  badData: { status: 400, code: 3, retrySeconds: 0 },
  badEncoding: { status: 400, code: 3, retrySeconds: 0 },
  unauthenticated: { status: 401, code: 16, retrySeconds: 0 },
  unknownPath: { status: 404, code: 5, retrySeconds: 0 },
  unknownSignal: { status: 404, code: 12, retrySeconds: 0 },
  unknownMethod: { status: 404, code: 12, retrySeconds: 0 },
  wrongMethod: { status: 405, code: 12, retrySeconds: 0 },
  headersTooLarge: { status: 431, code: 3, retrySeconds: 0 },
  // The client may find a better connection, and send the same again.
  tooSlow: { status: 408, code: 4, retrySeconds: 0 },
  tooLarge: { status: 413, code: 8, retrySeconds: 0 },
  wrongType: { status: 415, code: 3, retrySeconds: 0 },
  unknownEncoding: { status: 415, code: 3, retrySeconds: 0 },
  unknownCompression: { status: 415, code: 12, retrySeconds: 0 },
  // https://github.com/grpc/grpc/blob/master/doc/compression.md asks for INTERNAL.
  unsaidCompression: { status: 400, code: 13, retrySeconds: 0 },
  overloaded: { status: 503, code: 14, retrySeconds: 5 },
  notKept: { status: 503, code: 14, retrySeconds: 5 },
  stopping: { status: 503, code: 14, retrySeconds: 1 },
  // A defect of ours is permanent for this body: a retry would only meet it again.
  internal: { status: 500, code: 13, retrySeconds: 0 },
} as const satisfies Record<string, { status: number; code: number; retrySeconds: number }>;

/** A request that is refused; thrown while it is read, turned into a response in one place. */
export class OtlpError extends Error {
  override readonly name = "OtlpError";
  readonly fault: OtlpFault;

  constructor(fault: OtlpFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The google.rpc.Status of a fault, in the encoding of the request. */
export function encodeStatus(error: OtlpError, json: boolean): Uint8Array | string {
  const status = { code: OTLP_FAULTS[error.fault].code, message: error.message };
  return json ? JSON.stringify(status) : RpcStatus.encode(status).finish();
}
