/** What a case can ask of an OTLP/gRPC answer. Each returns a complaint, or nothing. */
import { gunzipSync } from "node:zlib";
import type { Finding } from "./conformance-case.ts";
import type { GrpcAnswer, GrpcEndpoint } from "./grpc-endpoint.ts";
import { GRPC_CODE } from "./grpc-endpoint.ts";
import { decodeBinary } from "./otlp/binary.ts";
import type { Message } from "./otlp/schema.ts";
import { tracesBody } from "./sample-requests.ts";

/** Judges one thing about an answer. */
export type GrpcExpectation = (answer: GrpcAnswer) => string | undefined;

const NAMES = new Map<number, string>(
  Object.entries(GRPC_CODE).map(([name, number]) => [
    number,
    name.replaceAll(/[A-Z]/g, "_$&").toUpperCase(),
  ]),
);
/** Before each message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;
/** After these a client sends the same again. */
const RETRYABLE: ReadonlySet<number | undefined> = new Set([
  GRPC_CODE.cancelled,
  GRPC_CODE.deadlineExceeded,
  GRPC_CODE.aborted,
  GRPC_CODE.outOfRange,
  GRPC_CODE.unavailable,
  GRPC_CODE.dataLoss,
]);

/** The finding of one call: the first expectation that the answer does not meet. */
export function judgeCall(
  answer: GrpcAnswer,
  ...expectations: readonly GrpcExpectation[]
): Finding {
  const faults = expectations.flatMap((expectation) => expectation(answer) ?? []).slice(0, 1);
  return { sent: answer.sent, received: summary(answer), faults };
}

/** After a hostile call: the finding, and that the endpoint still takes an ordinary one. */
export async function andServing(grpc: GrpcEndpoint, finding: Finding): Promise<Finding> {
  const answer = await grpc.export(tracesBody());
  if (answer.code === GRPC_CODE.ok) return finding;
  const fault = `an ordinary call was answered ${codeName(answer)} afterwards`;
  return { ...finding, faults: [...finding.faults, fault] };
}

/** One of these codes. */
export function code(...allowed: readonly number[]): GrpcExpectation {
  return (answer) => {
    if (answer.code !== undefined && allowed.includes(answer.code)) return undefined;
    const names = allowed.map((one) => NAMES.get(one) ?? String(one));
    return `the code must be ${names.join(" or ")}, not ${codeName(answer)}`;
  };
}

/** OK, with an export response that tells of nothing rejected. */
export const accepted: GrpcExpectation = (answer) => {
  if (answer.code !== GRPC_CODE.ok) return `the code must be OK, not ${codeName(answer)}`;
  const partial = partialOf(answer);
  if (typeof partial === "string" || partial === undefined) return partial;
  const empty = Number(partial["rejected"] ?? 0) === 0 && !partial["errorMessage"];
  return empty ? undefined : "full success, and yet there is a partial_success";
};

/** The response has no partial_success, not even an empty one. */
export const noPartialSuccess: GrpcExpectation = (answer) => {
  const partial = partialOf(answer);
  if (typeof partial === "string" || partial === undefined) return partial;
  return "partial_success must be unset";
};

/** Refused for good: a code after which no client tries again. */
export const refusedForGood: GrpcExpectation = (answer) => {
  if (answer.code === undefined) return `there is no grpc-status: ${codeName(answer)}`;
  if (answer.code === GRPC_CODE.ok) return "it was accepted";
  return RETRYABLE.has(answer.code) ? `${codeName(answer)} asks for a retry` : undefined;
};

/** Accepted in full or in part, or refused for good. */
export const acceptedOrRefused: GrpcExpectation = (answer) => {
  if (answer.code !== GRPC_CODE.ok) return refusedForGood(answer);
  const partial = partialOf(answer);
  return typeof partial === "string" ? partial : undefined;
};

/** Not acknowledged as if all had been kept. */
export const notKept: GrpcExpectation = (answer) => {
  if (answer.code !== GRPC_CODE.ok) return undefined;
  const partial = partialOf(answer);
  if (typeof partial === "string") return partial;
  return Number(partial?.["rejected"] ?? 0) > 0 ? undefined : "acknowledged as a full success";
};

/** No RetryInfo in the details: nothing would be better later. */
export const noRetryInfo: GrpcExpectation = ({ metadata }) => {
  const details = metadata["grpc-status-details-bin"];
  if (details === undefined) return undefined;
  const status = decodeBinary("Status", Buffer.from(String(details), "base64"));
  const urls = ((status["details"] ?? []) as readonly Message[]).map(({ typeUrl }) =>
    String(typeUrl),
  );
  return urls.some((url) => url.endsWith("/google.rpc.RetryInfo"))
    ? "there is a RetryInfo"
    : undefined;
};

/** A header or trailer that is there. */
export function hasMetadata(name: string): GrpcExpectation {
  return ({ metadata }) => (metadata[name] === undefined ? `there is no ${name}` : undefined);
}

/** The failure has a text. */
export const hasText: GrpcExpectation = ({ message }) =>
  message === "" ? "grpc-message is empty" : undefined;

/** The partial success of a response; a string says why the bytes are no response. */
function partialOf({ body, metadata }: GrpcAnswer): Message | string | undefined {
  const length = body.length < PREFIX_BYTES ? -1 : body.readUInt32BE(1);
  if (length !== body.length - PREFIX_BYTES) return "there must be one message";
  const compressed = body[0] === 1;
  if (compressed && metadata["grpc-encoding"] !== "gzip") return "compressed, but not as gzip";
  try {
    const content = body.subarray(PREFIX_BYTES);
    const message = decodeBinary("ExportResponse", compressed ? gunzipSync(content) : content);
    return message["partialSuccess"] as Message | undefined;
  } catch (error) {
    return `the message must be an export response: ${(error as Error).message}`;
  }
}

function codeName({ code: number, failure, httpStatus }: GrpcAnswer): string {
  if (number !== undefined) return NAMES.get(number) ?? `code ${number}`;
  return failure ?? `HTTP ${httpStatus} without a grpc-status`;
}

function summary(answer: GrpcAnswer): string {
  const { message, body } = answer;
  const text = message === "" ? [] : [JSON.stringify(message.slice(0, 120))];
  return [codeName(answer), ...text, `${body.length} B`].join(", ");
}
