/** What a case can ask of an OTLP/HTTP answer. Each returns a complaint, or nothing. */
import type { Finding } from "./conformance-case.ts";
import type { HttpAnswer, HttpEndpoint } from "./http-endpoint.ts";
import { JSON_TYPE, PROTOBUF } from "./http-endpoint.ts";
import { decodeBinary } from "./otlp/binary.ts";
import type { Message, MessageName } from "./otlp/schema.ts";
import type { RawAnswer } from "./raw-answers.ts";
import { tracesBody } from "./sample-requests.ts";

/** An answer of either way of asking. */
export type AnyHttpAnswer = HttpAnswer | RawAnswer;

/** Judges one thing about an answer. */
export type HttpExpectation = (answer: AnyHttpAnswer) => string | undefined;

/** The finding of one request: the first expectation that the answer does not meet. */
export function judge(answer: HttpAnswer, ...expectations: readonly HttpExpectation[]): Finding {
  return judgeRaw(answer.sent, answer, ...expectations);
}

/** The same for bytes written by hand; no answer at all is a fault. */
export function judgeRaw(
  sent: string,
  answer: AnyHttpAnswer | undefined,
  ...expectations: readonly HttpExpectation[]
): Finding {
  if (answer === undefined) {
    return { sent, received: "no answer", faults: ["the connection ended without an answer"] };
  }
  const faults = expectations.flatMap((expectation) => expectation(answer) ?? []).slice(0, 1);
  return { sent, received: summary(answer), faults };
}

/** After a hostile request: the finding, and that the endpoint still takes an ordinary one. */
export async function andAlive(http: HttpEndpoint, finding: Finding): Promise<Finding> {
  const answer = await http.post(tracesBody(), PROTOBUF);
  if (answer.status === 200) return finding;
  const fault = `an ordinary request was answered ${answer.status} afterwards`;
  return { ...finding, faults: [...finding.faults, fault] };
}

/** One of these HTTP codes. */
export function status(...allowed: readonly number[]): HttpExpectation {
  return (answer) =>
    allowed.includes(answer.status)
      ? undefined
      : `the code must be ${allowed.join(" or ")}, not ${answer.status}`;
}

/** Refused as the client's fault: 4xx, but none that asks for a retry. */
export const refused: HttpExpectation = ({ status: code }) =>
  code >= 400 && code < 500 && code !== 429 ? undefined : `the code must be 4xx, not ${code}`;

/** Anything but a failure of the server. */
export const notServerError: HttpExpectation = ({ status: code }) =>
  code < 500 ? undefined : `the code must not be 5xx, and is ${code}`;

/** A header that is there. */
export function hasHeader(name: string): HttpExpectation {
  return ({ headers }) => (headers[name] === undefined ? `there is no ${name} header` : undefined);
}

/** The media type, parameters aside. */
export function contentType(wanted: string): HttpExpectation {
  return (answer) => {
    const type = mediaType(answer);
    return type === wanted ? undefined : `Content-Type must be ${wanted}, not ${type || "absent"}`;
  };
}

/**
 * 200 with an export response that tells of nothing rejected. An empty partial_success means the
 * same as none (trace_service.proto); that it must not be there at all, a case of its own asks.
 */
export const fullSuccess: HttpExpectation = (answer) => {
  if (answer.status !== 200) return `the code must be 200, not ${answer.status}`;
  const partial = partialSuccess(answer);
  if (typeof partial === "string" || partial === undefined) return partial;
  const empty = rejectedOf(partial) === 0n && (partial["errorMessage"] ?? "") === "";
  return empty ? undefined : `full success, and yet partial_success is ${textOf(partial)}`;
};

/**
 * 200 with an export response that tells of nothing rejected, and may warn: a partial_success that
 * counts nothing is how OTLP lets a server tell a client what it should know.
 */
export const nothingRejected: HttpExpectation = (answer) => {
  if (answer.status !== 200) return `the code must be 200, not ${answer.status}`;
  const partial = partialSuccess(answer);
  if (typeof partial === "string") return partial;
  const rejected = rejectedOf(partial);
  return rejected === 0n ? undefined : `${rejected} reported as rejected of what holds none`;
};

/** The response has no partial_success, not even an empty one. */
export const partialSuccessUnset: HttpExpectation = (answer) => {
  const partial = partialSuccess(answer);
  if (typeof partial === "string" || partial === undefined) return partial;
  return `partial_success must be unset, and is ${textOf(partial)}`;
};

/** The body is a google.rpc.Status in the encoding that its content type says. */
export const isStatus: HttpExpectation = (answer) => {
  const decoded = decodeBody("Status", answer);
  if (typeof decoded === "string") return `the body must be a google.rpc.Status: ${decoded}`;
  const { message, code } = decoded as { message?: unknown; code?: unknown };
  if (message === undefined && code === undefined) return "the Status describes no problem";
  return undefined;
};

/** The google.rpc.Status has a text for a developer. */
export const hasMessage: HttpExpectation = (answer) => {
  const decoded = decodeBody("Status", answer);
  if (typeof decoded === "string") return decoded;
  const text = decoded["message"];
  return typeof text === "string" && text !== "" ? undefined : "Status.message is empty";
};

/** The google.rpc.Status has a detail of this type of google.rpc. */
export function hasDetail(type: string): HttpExpectation {
  return (answer) => {
    const decoded = decodeBody("Status", answer);
    if (typeof decoded === "string") return decoded;
    const details = (decoded["details"] ?? []) as readonly Message[];
    const urls = details.map((detail) => String(detail["typeUrl"] ?? detail["@type"]));
    const found = urls.some((url) => url.endsWith(`/google.rpc.${type}`));
    return found ? undefined : `Status.details has no google.rpc.${type}`;
  };
}

/** A Status in this encoding. */
export function statusIn(type: string): HttpExpectation {
  return (answer) => contentType(type)(answer) ?? isStatus(answer);
}

/** Accepted in full or in part, or refused as bad data; both answers well formed. */
export const acceptedOrBadData: HttpExpectation = (answer) => {
  if (answer.status === 400) return isStatus(answer);
  if (answer.status !== 200) return `the code must be 200 or 400, not ${answer.status}`;
  const partial = partialSuccess(answer);
  return typeof partial === "string" ? partial : undefined;
};

/** Not acknowledged as if all had been kept: 400, or 200 with a count of rejected spans. */
export const notSwallowed: HttpExpectation = (answer) => {
  if (answer.status === 400) return undefined;
  const partial = partialSuccess(answer);
  if (typeof partial === "string") return partial;
  return rejectedOf(partial) > 0n ? undefined : "acknowledged as a full success";
};

/** How many spans, records or points a partial success says were rejected. */
export function rejectedOf(partial: Message | undefined): bigint {
  const counts = ["rejected", "rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"];
  const count = counts.map((name) => partial?.[name]).find((value) => value !== undefined);
  return BigInt((count as bigint | number | string | undefined) ?? 0);
}

/** The partial success of an answer, if it has one; a string says why the body is no response. */
export function partialSuccess(answer: AnyHttpAnswer): Message | string | undefined {
  const decoded = decodeBody("ExportResponse", answer);
  if (typeof decoded === "string") return `the body must be an export response: ${decoded}`;
  const partial = decoded["partialSuccess"] as Message | null | undefined;
  return partial ?? undefined;
}

function decodeBody(name: MessageName, answer: AnyHttpAnswer): Message | string {
  const type = mediaType(answer);
  try {
    if (type === PROTOBUF) return decodeBinary(name, answer.body);
    if (type !== JSON_TYPE) return `Content-Type is ${type || "absent"}`;
    const json: unknown = JSON.parse(answer.body.toString());
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return isObject ? (json as Message) : "it is no JSON object";
  } catch (error) {
    return (error as Error).message;
  }
}

function mediaType({ headers }: AnyHttpAnswer): string {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Enough of an answer to tell it from others, in one line. */
function summary(answer: AnyHttpAnswer): string {
  const { status: code, body } = answer;
  const type = mediaType(answer) || "no Content-Type";
  const name = code < 400 ? "ExportResponse" : "Status";
  const decoded = body.length === 0 ? "no body" : decodeBody(name, answer);
  const text = typeof decoded === "string" ? printable(body) : textOf(decoded);
  return `${code}, ${type}, ${body.length === 0 ? "no body" : text}`;
}

const SUMMARY_CHARS_MAX = 160;

function textOf(message: Message): string {
  const text = JSON.stringify(message, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return text.slice(0, SUMMARY_CHARS_MAX);
}

function printable(body: Buffer): string {
  return JSON.stringify(body.toString("latin1").slice(0, SUMMARY_CHARS_MAX));
}
