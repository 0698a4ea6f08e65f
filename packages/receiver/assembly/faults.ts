/** What can be wrong with a body; src/otlp/trace-faults.ts has the words, in the same order. */
export const VARINT_CUT_OFF: i32 = 1;
export const VARINT_TOO_LONG: i32 = 2;
export const LENGTH_TOO_LONG: i32 = 3;
export const PAST_END: i32 = 4;
export const NUMBER_IMPOSSIBLE: i32 = 5;
export const FIXED64_CUT_OFF: i32 = 6;
export const FIXED32_CUT_OFF: i32 = 7;
export const GROUP_NOT_BEGUN: i32 = 8;
export const WIRE_TYPE_UNKNOWN: i32 = 9;
export const GROUPS_TOO_DEEP: i32 = 10;
export const GROUP_ENDS_OTHER: i32 = 11;
export const GROUP_NO_END: i32 = 12;
/** The detail of the next five is the tag. */
export const MESSAGE_FIELD: i32 = 13;
export const SCOPE_SPANS_FIELD: i32 = 14;
export const SPAN_FIELD: i32 = 15;
export const STATUS_FIELD: i32 = 16;
export const ANY_VALUE_FIELD: i32 = 17;
export const KEY_VALUE_FIELD: i32 = 18;
export const LIST_FIELD: i32 = 19;
export const VALUES_TOO_DEEP: i32 = 20;
export const ROWS_TOO_MANY: i32 = 21;
