/**
 * Calls and durations by service, span name, kind and status, of all spans: what Jaeger's Monitor
 * tab reads from Prometheus, under the names of the Collector's connector `span_metrics`.
 * A span that is delivered twice is counted twice, as there.
 */
import { METRICS } from "@tidemark/semconv";
import type { HistogramPoint, Labels, MetricFamily } from "../metric-family.js";
import { lazily } from "../metric-family.js";
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_STRING } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import { ByteInterner, INTERN_FULL } from "./byte-interner.js";

/** In milliseconds: Jaeger asks for classic buckets, and for this unit. */
const BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const NS_PER_MS = 1e6;
const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUSES = ["UNSET", "OK", "ERROR"];
/** Names and services that are told apart; 256 bytes each at most. */
const STRINGS_MAX = 16_384;
/** Ids of a string that is not there or cannot be read, and of one too many. */
const NONE = -1;
const FULL = -2;
const OUTCOMES = KINDS.length * STATUSES.length;
const OVERFLOW: Labels = { otel_metric_overflow: "true" };

interface SpanSeries {
  readonly labels: Labels;
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

/** Bounded in series: what is beyond is one that says so. */
export class SpanMetrics {
  private readonly keys: KeyTable;
  private readonly seriesMax: number;
  private readonly strings = new ByteInterner(STRINGS_MAX);
  private readonly series = new Map<number, SpanSeries>();
  private readonly overflow: SpanSeries = emptySeries(OVERFLOW);
  /** The resource of the last span, and its service's id. */
  private resource = -1;
  private service = -1;

  constructor(keys: KeyTable, seriesMax: number) {
    this.keys = keys;
    this.seriesMax = seriesMax;
  }

  /** Counts all spans of a request. */
  count(rows: SpanRows): void {
    this.resource = -1;
    for (let span = 0; span < rows.spanCount; span++) {
      const series = this.seriesOf(rows, span);
      const ms = Math.max(0, (rows.durationNs[span] as number) / NS_PER_MS);
      let bucket = 0;
      while (ms > (BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
      series.counts[bucket] = (series.counts[bucket] as number) + 1;
      series.sum += ms;
      series.count++;
    }
  }

  metrics(): MetricFamily[] {
    const all = () => [...this.series.values(), this.overflow].filter(({ count }) => count > 0);
    const durations = lazily(function* (): Generator<HistogramPoint> {
      for (const { labels, counts, sum, count } of all()) {
        yield { labels, bounds: BOUNDS_MS, counts, sum, count };
      }
    });
    const calls = all().map(({ labels, count: value }) => ({ labels, value }));
    return [
      { definition: METRICS.spanCalls, points: calls },
      { definition: METRICS.spanDuration, points: durations },
    ];
  }

  private seriesOf(rows: SpanRows, span: number): SpanSeries {
    const service = this.serviceOf(rows, span);
    const name = this.nameOf(rows, span);
    if (service === FULL || name === FULL) return this.overflow;
    const kind = Math.min(rows.kind[span] as number, KINDS.length - 1);
    const status = Math.min(rows.status[span] as number, STATUSES.length - 1);
    const outcome = kind * STATUSES.length + status;
    const key = ((service + 1) * (STRINGS_MAX + 1) + name + 1) * OUTCOMES + outcome;
    const known = this.series.get(key);
    if (known) return known;
    if (this.series.size >= this.seriesMax) return this.overflow;
    const series = emptySeries({
      service_name: this.strings.text(service),
      span_name: this.strings.text(name),
      span_kind: `SPAN_KIND_${KINDS[kind]}`,
      status_code: `STATUS_CODE_${STATUSES[status]}`,
    });
    this.series.set(key, series);
    return series;
  }

  private serviceOf(rows: SpanRows, span: number): number {
    const resource = rows.resource[span] as number;
    if (resource === this.resource) return this.service;
    this.resource = resource;
    this.service = NONE;
    const end = rows.resourceEnd[resource] as number;
    for (let at = rows.resourceFirst[resource] as number; at < end; at++) {
      const tag = rows.valueTag[at] as number;
      if (this.keys.roleOf(tag >> TYPE_BITS) !== ROLE.serviceName) continue;
      if ((tag & TYPE_MASK) !== VALUE_STRING) continue;
      const length = rows.valueNumber[at] as number;
      this.service = this.intern(rows, rows.valueOffset[at] as number, length);
    }
    return this.service;
  }

  private nameOf(rows: SpanRows, span: number): number {
    let at = rows.nameAt[span] as number;
    if (at < 0) return NONE;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = rows.bytes[at++] as number;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return this.intern(rows, at, length);
  }

  /** What is longer than a string may be, or is none, has no name here. */
  private intern({ view }: SpanRows, at: number, length: number): number {
    const id = this.strings.intern(view, at, length);
    return id >= 0 ? id : id === INTERN_FULL ? FULL : NONE;
  }
}

function emptySeries(labels: Labels): SpanSeries {
  return { labels, counts: new Float64Array(BOUNDS_MS.length + 1), sum: 0, count: 0 };
}
