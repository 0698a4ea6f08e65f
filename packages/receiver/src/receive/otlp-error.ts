/**
 * Every way in which a request can fail, in one table: HTTP status, google.rpc code, whether the
 * client may try again.
 * https://opentelemetry.io/docs/specs/otlp/#failures and google.rpc.Code
 */
import { BadRequest, RetryInfo, RpcStatus } from "../otlp/schema.js";

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

/** A message is sent within a block of headers, for which gRPC clients allow 8 KiB or more. */
const MESSAGE_CHARACTERS_MAX = 1024;

/** A request that is refused; thrown while it is read, turned into a response in one place. */
export class OtlpError extends Error {
  override readonly name = "OtlpError";
  readonly fault: OtlpFault;
  /** Where in the body it is, such as `resourceSpans[0]`; empty for the body as a whole. */
  readonly field: string;

  constructor(fault: OtlpFault, message: string, field = "") {
    super(message.slice(0, MESSAGE_CHARACTERS_MAX));
    this.fault = fault;
    this.field = field;
  }
}

/** The google.rpc.Status of a fault, in the encoding of the request. */
export function encodeStatus(error: OtlpError, json: boolean): Uint8Array | string {
  const { message, fault } = error;
  const { code } = OTLP_FAULTS[fault];
  const details = statusDetails(error).map((detail) => {
    const typeUrl = `type.googleapis.com/google.rpc.${detail.type.name}`;
    if (json) return { "@type": typeUrl, ...detail.json };
    return { typeUrl, value: detail.type.encode(detail.binary).finish() };
  });
  const status = { code, message, details };
  return json ? JSON.stringify(status) : RpcStatus.encode(status).finish();
}

/**
 * What a Status says beside its message: of bad data where it is bad, and of what may be tried
 * again when. Clients take RetryInfo as leave to send the same again, so nothing else has it.
 * https://opentelemetry.io/docs/specs/otlp/#bad-data
 */
export function statusDetails({ fault, message, field }: OtlpError) {
  const { retrySeconds } = OTLP_FAULTS[fault];
  if (retrySeconds > 0) {
    const binary = { retryDelay: { seconds: retrySeconds } };
    return [{ type: RetryInfo, binary, json: { retryDelay: `${retrySeconds}s` } }];
  }
  if (fault !== "badData" && fault !== "badEncoding") return [];
  const bad = { fieldViolations: [{ field, description: message }] };
  return [{ type: BadRequest, binary: bad, json: bad }];
}
