/**
 * Checks that a body is an ExportMetricsServiceRequest, or an ExportLogsServiceRequest, down to its
 * last attribute, and reads nothing of it: what this accepts, any other decoder accepts too.
 * Cost: linear in bytes, for a depth that is bounded.
 */
import { LOGS_MESSAGES } from "./logs-schema.js";
import type { Content } from "./metrics-schema.js";
import { METRICS_MESSAGES } from "./metrics-schema.js";
import type { WireError } from "./wire.js";
import { FAULT, WIRE_LENGTH, WireCursor } from "./wire.js";

/** Messages within messages: the bound that protobuf's own libraries have. */
const DEPTH_MAX = 100;

/** @returns what is wrong with the bytes, and where; undefined when nothing is */
export function checkMetricsRequest(bytes: Uint8Array): WireError | undefined {
  return check(bytes, METRICS_MESSAGES);
}

/** The same for logs. */
export function checkLogsRequest(bytes: Uint8Array): WireError | undefined {
  return check(bytes, LOGS_MESSAGES);
}

type Messages = typeof METRICS_MESSAGES;

function check(bytes: Uint8Array, messages: Messages): WireError | undefined {
  const cursor = new WireCursor();
  cursor.bytes = bytes;
  checkMessage(cursor, messages, 0, bytes.length, "Request", 0);
  return cursor.error;
}

function checkMessage(
  cursor: WireCursor,
  messages: Messages,
  at: number,
  end: number,
  name: string,
  depth: number,
): number {
  if (depth === DEPTH_MAX) return cursor.fault("messages are nested too deeply", at);
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = cursor.tag(p, end);
    if (p === FAULT) return FAULT;
    const number = cursor.low >>> 3;
    const wireType = cursor.low & 7;
    p = cursor.skip(p, end, wireType);
    if (p === FAULT) return FAULT;
    const content = messages[name]?.[number];
    if (content === undefined) continue;
    if (!fits(content, wireType)) {
      return cursor.fault(`${name}'s field ${number} has the wire type ${wireType}`, fieldAt);
    }
    if (wireType !== WIRE_LENGTH) continue;
    const from = p - cursor.low;
    if (checkContent(cursor, messages, from, p, content, depth) === FAULT) return FAULT;
  }
  return p;
}

function fits(content: Content, wireType: number): boolean {
  if (typeof content === "number") return wireType === content;
  return wireType === WIRE_LENGTH || (typeof content === "object" && wireType === content.packed);
}

/** What is in a field that has a length. */
function checkContent(
  cursor: WireCursor,
  messages: Messages,
  at: number,
  end: number,
  content: Content,
  depth: number,
): number {
  if (typeof content === "string") {
    return checkMessage(cursor, messages, at, end, content, depth + 1);
  }
  if (typeof content === "number") return end;
  let p = at;
  while (p < end && p !== FAULT) p = cursor.skip(p, end, content.packed);
  return p;
}
