/**
 * What stands in every known field of a metrics request's messages, by field number.
 * https://github.com/open-telemetry/opentelemetry-proto (metrics/v1, common/v1, resource/v1)
 */
import { WIRE_LENGTH as BYTES, WIRE_FIXED64 as FIXED, WIRE_VARINT as VARINT } from "./wire.js";

/** A wire type, a message by its name, or numbers that may be packed into one field. */
export type Content = number | string | { readonly packed: number };

/** Messages that requests of all signals have. */
export const COMMON_MESSAGES: Readonly<Record<string, Readonly<Record<number, Content>>>> = {
  Resource: { 1: "KeyValue", 2: VARINT },
  Scope: { 1: BYTES, 2: BYTES, 3: "KeyValue", 4: VARINT },
  KeyValue: { 1: BYTES, 2: "AnyValue" },
  AnyValue: {
    1: BYTES,
    2: VARINT,
    3: VARINT,
    4: FIXED,
    5: "ArrayValue",
    6: "KeyValueList",
    7: BYTES,
  },
  ArrayValue: { 1: "AnyValue" },
  KeyValueList: { 1: "KeyValue" },
};

/** The messages by name; a request is the first. */
export const METRICS_MESSAGES: Readonly<Record<string, Readonly<Record<number, Content>>>> = {
  Request: { 1: "ResourceMetrics" },
  ResourceMetrics: { 1: "Resource", 2: "ScopeMetrics", 3: BYTES },
  ScopeMetrics: { 1: "Scope", 2: "Metric", 3: BYTES },
  Metric: {
    1: BYTES, // name
    2: BYTES, // description
    3: BYTES, // unit
    5: "Gauge",
    7: "Sum",
    9: "Histogram",
    10: "ExponentialHistogram",
    11: "Summary",
    12: "KeyValue", // metadata
  },
  Gauge: { 1: "NumberPoint" },
  Sum: { 1: "NumberPoint", 2: VARINT, 3: VARINT },
  Histogram: { 1: "HistogramPoint", 2: VARINT },
  ExponentialHistogram: { 1: "ExponentialPoint", 2: VARINT },
  Summary: { 1: "SummaryPoint" },
  NumberPoint: {
    2: FIXED, // start_time_unix_nano
    3: FIXED, // time_unix_nano
    4: FIXED, // as_double
    5: "Exemplar",
    6: FIXED, // as_int
    7: "KeyValue",
    8: VARINT, // flags
  },
  HistogramPoint: {
    2: FIXED, // start_time_unix_nano
    3: FIXED, // time_unix_nano
    4: FIXED, // count
    5: FIXED, // sum
    6: { packed: FIXED }, // bucket_counts
    7: { packed: FIXED }, // explicit_bounds
    8: "Exemplar",
    9: "KeyValue",
    10: VARINT, // flags
    11: FIXED, // min
    12: FIXED, // max
  },
  ExponentialPoint: {
    1: "KeyValue",
    2: FIXED, // start_time_unix_nano
    3: FIXED, // time_unix_nano
    4: FIXED, // count
    5: FIXED, // sum
    6: VARINT, // scale
    7: FIXED, // zero_count
    8: "Buckets", // positive
    9: "Buckets", // negative
    10: VARINT, // flags
    11: "Exemplar",
    12: FIXED, // min
    13: FIXED, // max
    14: FIXED, // zero_threshold
  },
  Buckets: { 1: VARINT, 2: { packed: VARINT } },
  SummaryPoint: {
    2: FIXED, // start_time_unix_nano
    3: FIXED, // time_unix_nano
    4: FIXED, // count
    5: FIXED, // sum
    6: "ValueAtQuantile",
    7: "KeyValue",
    8: VARINT, // flags
  },
  ValueAtQuantile: { 1: FIXED, 2: FIXED },
  Exemplar: {
    2: FIXED, // time_unix_nano
    3: FIXED, // as_double
    4: BYTES, // span_id
    5: BYTES, // trace_id
    6: FIXED, // as_int
    7: "KeyValue",
  },
  ...COMMON_MESSAGES,
};
