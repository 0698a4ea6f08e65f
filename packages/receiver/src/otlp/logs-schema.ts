/**
 * What stands in every known field of a logs request's messages, by field number.
 * https://github.com/open-telemetry/opentelemetry-proto (logs/v1, common/v1, resource/v1)
 */
import type { Content } from "./metrics-schema.js";
import { COMMON_MESSAGES } from "./metrics-schema.js";
import {
  WIRE_LENGTH as BYTES,
  WIRE_FIXED64 as FIXED,
  WIRE_FIXED32 as FIXED32,
  WIRE_VARINT as VARINT,
} from "./wire.js";

/** The messages by name; a request is the first. */
export const LOGS_MESSAGES: Readonly<Record<string, Readonly<Record<number, Content>>>> = {
  Request: { 1: "ResourceLogs" },
  ResourceLogs: { 1: "Resource", 2: "ScopeLogs", 3: BYTES },
  ScopeLogs: { 1: "Scope", 2: "LogRecord", 3: BYTES },
  LogRecord: {
    1: FIXED, // time_unix_nano
    2: VARINT, // severity_number
    3: BYTES, // severity_text
    5: "AnyValue", // body
    6: "KeyValue",
    7: VARINT, // dropped_attributes_count
    8: FIXED32, // flags
    9: BYTES, // trace_id
    10: BYTES, // span_id
    11: FIXED, // observed_time_unix_nano
    12: BYTES, // event_name
  },
  ...COMMON_MESSAGES,
};
