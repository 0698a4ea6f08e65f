export type { KnownKey, WantedKey } from "./otlp/key-table.js";
export { KEY_UNWANTED, KeyTable } from "./otlp/key-table.js";
export { SpanRows } from "./otlp/span-rows.js";
export { TraceReader } from "./otlp/trace-reader.js";
export { ROLE, unwantedKeys, wantedKeys } from "./otlp/wanted-keys.js";
export type { WireError } from "./otlp/wire.js";
