/**
 * The wire type of every known field of a trace request's messages, by field number; -1 where there
 * is no such field. https://github.com/open-telemetry/opentelemetry-proto (trace/v1, common/v1)
 */
import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "./wire.js";

/** The wire type of Span's fields 1 to 16 by number. */
export const SPAN_WIRE_TYPES = [
  -1,
  WIRE_LENGTH, // trace_id
  WIRE_LENGTH, // span_id
  WIRE_LENGTH, // trace_state
  WIRE_LENGTH, // parent_span_id
  WIRE_LENGTH, // name
  WIRE_VARINT, // kind
  WIRE_FIXED64, // start_time_unix_nano
  WIRE_FIXED64, // end_time_unix_nano
  WIRE_LENGTH, // attributes
  WIRE_VARINT, // dropped_attributes_count
  WIRE_LENGTH, // events
  WIRE_VARINT, // dropped_events_count
  WIRE_LENGTH, // links
  WIRE_VARINT, // dropped_links_count
  WIRE_LENGTH, // status
  WIRE_FIXED32, // flags
];

/** Event: time, name, attributes, dropped count. */
export const EVENT_WIRE_TYPES = [-1, WIRE_FIXED64, WIRE_LENGTH, WIRE_LENGTH, WIRE_VARINT];
/** Link: trace id, span id, trace state, attributes, dropped count, flags. */
export const LINK_WIRE_TYPES = [
  -1,
  WIRE_LENGTH,
  WIRE_LENGTH,
  WIRE_LENGTH,
  WIRE_LENGTH,
  WIRE_VARINT,
  WIRE_FIXED32,
];
/** InstrumentationScope: name, version, attributes, dropped count. */
export const SCOPE_WIRE_TYPES = [-1, WIRE_LENGTH, WIRE_LENGTH, WIRE_LENGTH, WIRE_VARINT];
/** Resource: attributes, dropped count. The containers: two messages and a schema URL. */
export const RESOURCE_WIRE_TYPES = [-1, WIRE_LENGTH, WIRE_VARINT];
export const CONTAINER_WIRE_TYPES = [-1, WIRE_LENGTH, WIRE_LENGTH, WIRE_LENGTH];
export const REQUEST_WIRE_TYPES = [-1, WIRE_LENGTH];
export const STATUS_WIRE_TYPES = [-1, -1, WIRE_LENGTH, WIRE_VARINT];
