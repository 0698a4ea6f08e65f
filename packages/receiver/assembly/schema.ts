/**
 * The wire types of every known field of a trace request's messages, three bits a field number
 * from 0 on, as {@link contradicts} takes them.
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1, common/v1)
 */

/** ExportTraceServiceRequest: resource_spans. */
export const REQUEST_TYPES: u64 = 0o27;
export const REQUEST_COUNT: u32 = 2;
/** ResourceSpans and ScopeSpans: a message, a list, and a schema URL. */
export const CONTAINER_TYPES: u64 = 0o2227;
export const CONTAINER_COUNT: u32 = 4;
/** Resource: attributes, dropped count. */
export const RESOURCE_TYPES: u64 = 0o027;
export const RESOURCE_COUNT: u32 = 3;
/** InstrumentationScope: name, version, attributes, dropped count. */
export const SCOPE_TYPES: u64 = 0o02227;
export const SCOPE_COUNT: u32 = 5;
/**
 * Span: trace id, span id, trace state, parent, name (lengths); kind; two times (64 bits);
 * attributes, dropped count, events, dropped count, links, dropped count, status; flags (32 bits).
 */
export const SPAN_TYPES: u64 = 0o52020202110222227;
export const SPAN_COUNT: u32 = 17;
/** Event: time, name, attributes, dropped count. */
export const EVENT_TYPES: u64 = 0o02217;
export const EVENT_COUNT: u32 = 5;
/** Link: trace id, span id, trace state, attributes, dropped count, flags. */
export const LINK_TYPES: u64 = 0o5022227;
export const LINK_COUNT: u32 = 7;
/** Status: a reserved number, message, code. */
export const STATUS_TYPES: u64 = 0o0277;
export const STATUS_COUNT: u32 = 4;
/** AnyValue: string, bool, int, double, array, map, bytes. */
export const ANY_VALUE_TYPES: u64 = 0o22210027;
export const ANY_VALUE_COUNT: u32 = 8;
