/**
 * Metric families in Prometheus' protobuf format, the only one that carries native histograms: a
 * stream of `io.prometheus.client.MetricFamily`, each behind its length.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import type { MetricKind } from "@tidemark/semconv";
import protobuf from "protobufjs";
import type { Exemplar } from "../exemplar.js";
import { exemplarNumber } from "../exemplar.js";
import type {
  HistogramPoint,
  Labels,
  MetricFamily,
  NativeBuckets,
  NumberPoint,
} from "../metric-family.js";

/** What the format is called in `Accept` and `Content-Type`. */
export const PROTOBUF_CONTENT_TYPE =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });

const HISTOGRAM_FIELDS = {
  sampleCount: field("uint64", 1),
  sampleSum: field("double", 2),
  bucket: list("Bucket", 3),
  schema: field("sint32", 5),
  zeroThreshold: field("double", 6),
  zeroCount: field("uint64", 7),
  positiveSpan: list("BucketSpan", 12),
  positiveDelta: list("sint64", 13),
  createdTimestamp: field("Time", 15),
  exemplars: list("Exemplar", 16),
};

const root = protobuf.Root.fromJSON({
  nested: {
    LabelPair: { fields: { name: field("string", 1), value: field("string", 2) } },
    Gauge: { fields: { value: field("double", 1) } },
    Counter: {
      fields: {
        value: field("double", 1),
        exemplar: field("Exemplar", 2),
        createdTimestamp: field("Time", 3),
      },
    },
    Histogram: { fields: HISTOGRAM_FIELDS },
    Bucket: {
      fields: {
        cumulativeCount: field("uint64", 1),
        upperBound: field("double", 2),
        exemplar: field("Exemplar", 3),
      },
    },
    BucketSpan: { fields: { offset: field("sint32", 1), length: field("uint32", 2) } },
    Exemplar: {
      fields: {
        label: list("LabelPair", 1),
        value: field("double", 2),
        timestamp: field("Time", 3),
      },
    },
    Time: { fields: { seconds: field("int64", 1), nanos: field("int32", 2) } },
    Metric: {
      fields: {
        label: list("LabelPair", 1),
        gauge: field("Gauge", 2),
        counter: field("Counter", 3),
        histogram: field("Histogram", 7),
      },
    },
    MetricFamily: {
      fields: {
        name: field("string", 1),
        help: field("string", 2),
        type: field("uint32", 3),
        metric: list("Metric", 4),
      },
    },
  },
});
const Family = root.lookupType("MetricFamily");
const Metric = root.lookupType("Metric");
/** Tag of a family's `metric`: its field, and that bytes follow. */
const METRIC_TAG = (4 << 3) | 2;
/** Metrics that are written at a time. */
const METRICS_AT_ONCE = 50;
const NOTHING_YET = new Uint8Array(0);

/** The format's own numbers of the kinds. */
const TYPES: Readonly<Record<MetricKind, number>> = { counter: 0, gauge: 1, histogram: 4 };

/**
 * Writes the families one by one, with parts of no bytes while one is being written, as its length
 * stands before it; those without points are left out.
 * @param startMs since when points count that do not say it; ms since the epoch
 */
export function* encodeMetrics(
  families: readonly MetricFamily[],
  startMs: number,
): Generator<Uint8Array> {
  for (const { definition, points } of families) {
    const { prometheus: name, brief: help, kind } = definition;
    const parts = [Family.encode({ name, help, type: TYPES[kind] }).finish()];
    let writer = protobuf.Writer.create();
    let count = 0;
    for (const point of points) {
      Metric.encode(metricOf(point, kind, startMs), writer.uint32(METRIC_TAG).fork()).ldelim();
      if (++count % METRICS_AT_ONCE !== 0) continue;
      parts.push(writer.finish());
      writer = protobuf.Writer.create();
      yield NOTHING_YET;
    }
    if (count === 0) continue;
    parts.push(writer.finish());
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    yield protobuf.Writer.create().uint32(length).finish();
    yield* parts;
  }
}

function metricOf(point: NumberPoint | HistogramPoint, kind: MetricKind, startMs: number): object {
  const label = pairs(point.labels);
  const createdTimestamp = timestamp(point.startMs ?? startMs);
  if ("bounds" in point) return { label, histogram: { ...histogramOf(point), createdTimestamp } };
  const { value, exemplar } = point;
  if (kind === "gauge") return { label, gauge: { value } };
  return { label, counter: { value, exemplar: exemplarOf(exemplar), createdTimestamp } };
}

function histogramOf(point: HistogramPoint): object {
  const { bounds, counts, sum, count, exemplars, native } = point;
  let cumulativeCount = 0;
  const bucket = Array.from(counts, (inBucket, at) => {
    cumulativeCount += inBucket;
    const upperBound = bounds[at] ?? Number.POSITIVE_INFINITY;
    return { cumulativeCount, upperBound, exemplar: exemplarOf(exemplars?.[at]) };
  });
  const classic = { sampleCount: count, sampleSum: sum, bucket };
  if (native === undefined) return classic;
  const known = exemplars?.filter((one) => one !== undefined) ?? [];
  return { ...classic, ...nativeFields(native), exemplars: known.map(exemplarOf) };
}

/**
 * One span of neighbouring buckets; each count is written as its difference from the one before.
 * Prometheus' bucket i ends where ours does: its (base^(i - 1), base^i] is our i - 1.
 */
function nativeFields({ schema, zeroCount, first, counts }: NativeBuckets): object {
  const common = { schema, zeroCount, zeroThreshold: 0 };
  // A histogram without any span would be taken for a classic one.
  if (counts.length === 0) return { ...common, positiveSpan: [{ offset: 0, length: 0 }] };
  return {
    ...common,
    positiveSpan: [{ offset: first + 1, length: counts.length }],
    positiveDelta: Array.from(counts, (count, at) => count - (counts[at - 1] ?? 0)),
  };
}

function exemplarOf(exemplar: Exemplar | undefined): object | undefined {
  if (exemplar === undefined) return undefined;
  const { traceId, spanId, timeMs } = exemplar;
  return {
    label: pairs({ trace_id: traceId, span_id: spanId }),
    value: exemplarNumber(exemplar),
    timestamp: timestamp(timeMs),
  };
}

function timestamp(ms: number): object {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

function pairs(labels: Labels): object[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value }));
}
