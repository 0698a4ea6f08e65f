/**
 * `ExportMetricsServiceRequest` of what the SDK's reader has collected. The SDK's own serialiser
 * knows no exemplars, and no points without a value.
 * https://github.com/open-telemetry/opentelemetry-proto (metrics/v1, field numbers as published)
 */
import type { Attributes, HrTime } from "@opentelemetry/api";
import type {
  ExponentialHistogram,
  Histogram,
  MetricData,
  ResourceMetrics,
  ScopeMetrics,
} from "@opentelemetry/sdk-metrics";
import { DataPointType } from "@opentelemetry/sdk-metrics";
import type { Exemplar } from "../exemplar.js";
import { exemplarNumber } from "../exemplar.js";
import { MessageWriter } from "./message-writer.js";
import type { PushedPoint } from "./metric-data.js";

const CUMULATIVE = 2;
const NS_PER_S = 1_000_000_000n;

/** How a kind of metric is written: its field in a metric, and those of its points. */
interface Kind {
  readonly field: number;
  readonly attributes: number;
  readonly exemplars: number;
  readonly flags: number;
  readonly value: (out: MessageWriter, value: unknown) => void;
}

const NUMBER = { attributes: 7, exemplars: 5, flags: 8, value: writeNumber };
const KINDS: Readonly<Record<DataPointType, Kind>> = {
  [DataPointType.GAUGE]: { field: 5, ...NUMBER },
  [DataPointType.SUM]: { field: 7, ...NUMBER },
  [DataPointType.HISTOGRAM]: {
    field: 9,
    attributes: 9,
    exemplars: 8,
    flags: 10,
    value: writeHistogram,
  },
  [DataPointType.EXPONENTIAL_HISTOGRAM]: {
    field: 10,
    attributes: 1,
    exemplars: 11,
    flags: 10,
    value: writeExponential,
  },
};

/** The request; attributes are strings, as all of ours are. */
export function encodeMetricsRequest({ resource, scopeMetrics }: ResourceMetrics): Uint8Array {
  const out = new MessageWriter();
  const request = out.begin(1);
  const from = out.begin(1);
  writeAttributes(out, 1, resource.attributes);
  out.end(from);
  for (const scope of scopeMetrics) writeScope(out, scope);
  out.end(request);
  return out.finish();
}

function writeScope(out: MessageWriter, { scope, metrics }: ScopeMetrics): void {
  const all = out.begin(2);
  const about = out.begin(1);
  out.text(1, scope.name);
  out.end(about);
  for (const metric of metrics) writeMetric(out, metric);
  out.end(all);
}

function writeMetric(out: MessageWriter, metric: MetricData): void {
  const { descriptor, dataPointType, dataPoints } = metric;
  const kind = KINDS[dataPointType];
  const all = out.begin(2);
  out.text(1, descriptor.name);
  out.text(2, descriptor.description);
  out.text(3, descriptor.unit);
  const data = out.begin(kind.field);
  for (const point of dataPoints as readonly PushedPoint[]) writePoint(out, kind, point);
  if (dataPointType !== DataPointType.GAUGE) out.small(2, CUMULATIVE);
  if (dataPointType === DataPointType.SUM) out.small(3, 1);
  out.end(data);
  out.end(all);
}

function writePoint(out: MessageWriter, kind: Kind, point: PushedPoint): void {
  const all = out.begin(1);
  writeTime(out, 2, point.startTime);
  writeTime(out, 3, point.endTime);
  kind.value(out, point.value);
  writeAttributes(out, kind.attributes, point.attributes);
  for (const exemplar of point.exemplars ?? []) writeExemplar(out, kind.exemplars, exemplar);
  out.small(kind.flags, point.flags ?? 0);
  out.end(all);
}

function writeNumber(out: MessageWriter, value: unknown): void {
  out.double(4, value as number);
}

function writeHistogram(out: MessageWriter, value: unknown): void {
  const { buckets, sum, count } = value as Histogram;
  out.fixed64(4, count);
  out.double(5, sum ?? 0);
  out.counts(6, buckets.counts);
  out.doubles(7, buckets.boundaries);
}

function writeExponential(out: MessageWriter, value: unknown): void {
  const { count, sum, scale, zeroCount, positive } = value as ExponentialHistogram;
  out.fixed64(4, count);
  out.double(5, sum ?? 0);
  out.signed(6, scale);
  out.fixed64(7, zeroCount);
  const buckets = out.begin(8);
  out.signed(1, positive.offset);
  out.varints(2, positive.bucketCounts);
  out.end(buckets);
}

function writeExemplar(out: MessageWriter, field: number, exemplar: Exemplar): void {
  const { traceId, spanId, timeMs } = exemplar;
  const all = out.begin(field);
  const ms = Math.round(timeMs);
  writeTime(out, 2, [Math.floor(ms / 1000), (ms % 1000) * 1e6]);
  out.double(3, exemplarNumber(exemplar));
  out.bytes(4, Buffer.from(spanId, "hex"));
  out.bytes(5, Buffer.from(traceId, "hex"));
  out.end(all);
}

function writeAttributes(out: MessageWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const pair = out.begin(field);
    out.text(1, key);
    const value = out.begin(2);
    out.text(1, String(attributes[key]));
    out.end(value);
    out.end(pair);
  }
}

function writeTime(out: MessageWriter, field: number, [seconds, rest]: HrTime): void {
  const nanoseconds = BigInt(seconds) * NS_PER_S + BigInt(rest);
  out.time(field, Number(nanoseconds >> 32n), Number(nanoseconds & 0xffff_ffffn));
}
