/**
 * `ExportMetricsServiceRequest`s of metric families, written point by point while they are made. A
 * request has a bounded length, as endpoints take no others: 4 MiB over gRPC, unless configured.
 * https://github.com/open-telemetry/opentelemetry-proto (metrics/v1, field numbers as published)
 */
import type { MetricDefinition } from "@tidemark/semconv";
import type { Exemplar } from "../exemplar.js";
import { exemplarNumber } from "../exemplar.js";
import type {
  HistogramPoint,
  Histograms,
  Labels,
  MetricFamily,
  NumberPoint,
} from "../metric-family.js";
import { MessageWriter } from "./message-writer.js";
import type { GoneSeries, SeriesForm, StalePoints } from "./stale-points.js";

const SCOPE = "@tidemark/receiver";
/** A metric is of one kind in its scope, so what has both kinds of histogram is in two. */
const NATIVE_SCOPE = "@tidemark/receiver/native";
const CUMULATIVE = 2;
const NO_RECORDED_VALUE = 1;
/** A request that has so many bytes is complete. */
const REQUEST_BYTES = 1 << 20;
/** Points that are written at a time. */
const POINTS_AT_ONCE = 50;
const NOTHING_YET = new Uint8Array(0);

/** How a kind of metric is written: its field in a metric, and those of its points. */
interface Kind {
  readonly field: number;
  readonly attributes: number;
  readonly exemplars: number;
  readonly flags: number;
}

const NUMBER = { attributes: 7, exemplars: 5, flags: 8 };
const KINDS = {
  gauge: { field: 5, ...NUMBER },
  counter: { field: 7, ...NUMBER },
  histogram: { field: 9, attributes: 9, exemplars: 8, flags: 10 },
  native: { field: 10, attributes: 1, exemplars: 11, flags: 10 },
} as const satisfies Record<string, Kind>;

/** What is pushed at one moment. */
export interface Pushed {
  readonly families: readonly MetricFamily[];
  readonly resource: Labels;
  /** Since when points count that do not say it, and when they are shown; ms since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly histograms: Histograms;
}

/**
 * The requests one by one, with requests of no bytes while one is being written. They end with
 * points of what has gone since the push before.
 */
export function* pushRequests(pushed: Pushed, stale: StalePoints): Generator<Uint8Array> {
  const { families, histograms } = pushed;
  const writer = new RequestWriter(pushed);
  let count = 0;
  const written = () => {
    if (writer.length > REQUEST_BYTES) return writer.finish();
    return ++count % POINTS_AT_ONCE === 0 ? NOTHING_YET : undefined;
  };
  stale.begin();
  for (const isNative of histograms === "classic" ? [false] : [false, true]) {
    for (const { definition, points } of families) {
      for (const point of points) {
        if (!isShown(point, isNative, histograms)) continue;
        stale.see(definition, point.labels, formOf(point, isNative, pushed.startMs));
        writer.add(definition, point, isNative);
        const part = written();
        if (part) yield part;
      }
    }
  }
  for (const gone of stale.end()) {
    writer.addGone(gone);
    const part = written();
    if (part) yield part;
  }
  yield writer.finish();
}

/** Whether a point is written in the scope of native histograms, or in the other one. */
function isShown(
  point: NumberPoint | HistogramPoint,
  isNative: boolean,
  histograms: Histograms,
): boolean {
  const canBeNative = "bounds" in point && point.native !== undefined && histograms !== "classic";
  return isNative ? canBeNative : !canBeNative || histograms === "both";
}

function formOf(
  point: NumberPoint | HistogramPoint,
  isNative: boolean,
  usualMs: number,
): SeriesForm {
  const { startMs = usualMs } = point;
  if ("value" in point) return { startMs };
  const { bounds, native } = point;
  return { startMs, bounds, schema: isNative ? native?.schema : undefined };
}

/** Writes requests, each with the resource, and points below their scope and metric. */
class RequestWriter {
  private readonly pushed: Pushed;
  private out = new MessageWriter();
  /** Where the messages begin that are open: request, scope, metric, and its data. */
  private readonly open: number[] = [];
  private scope = "";
  private definition: MetricDefinition | undefined;
  private readonly times = new Map<number, readonly [high: number, low: number]>();

  constructor(pushed: Pushed) {
    this.pushed = pushed;
  }

  /** Bytes of the present request. */
  get length(): number {
    return this.out.length;
  }

  add(definition: MetricDefinition, point: NumberPoint | HistogramPoint, isNative: boolean): void {
    const kind = this.enter(definition, isNative);
    const { out } = this;
    const all = this.beginPoint(point.startMs ?? this.pushed.startMs);
    let exemplars: readonly (Exemplar | undefined)[] = [];
    if ("value" in point) {
      out.double(4, point.value);
      if (point.exemplar) exemplars = [point.exemplar];
    } else {
      if (isNative) this.writeNative(point);
      else this.writeHistogram(point);
      exemplars = point.exemplars ?? [];
    }
    writeAttributes(out, kind.attributes, point.labels);
    for (const exemplar of exemplars) {
      if (exemplar) this.writeExemplar(kind.exemplars, exemplar);
    }
    out.end(all);
  }

  /** The buckets stay: Prometheus makes a series of each. */
  addGone({ definition, labels, startMs, bounds, schema }: GoneSeries): void {
    const isNative = schema !== undefined;
    const kind = this.enter(definition, isNative);
    const { out } = this;
    const all = this.beginPoint(startMs);
    if (bounds === undefined) {
      out.double(4, 0);
    } else {
      const nothing = { labels, bounds, counts: bounds.map(() => 0), sum: 0, count: 0 };
      const native = { schema: schema ?? 0, zeroCount: 0, first: 0, counts: [] };
      if (isNative) this.writeNative({ ...nothing, native });
      else this.writeHistogram({ ...nothing, counts: [...nothing.counts, 0] });
    }
    writeAttributes(out, kind.attributes, labels);
    out.small(kind.flags, NO_RECORDED_VALUE);
    out.end(all);
  }

  /** Ends the request; empty when nothing was added. */
  finish(): Uint8Array {
    this.leave(0);
    const bytes = this.out.finish();
    this.out = new MessageWriter();
    return bytes;
  }

  /** Begins whatever is not yet open around a point. */
  private enter(definition: MetricDefinition, isNative: boolean): Kind {
    const { out, open } = this;
    const kind = KINDS[isNative ? "native" : definition.kind];
    const scope = isNative ? NATIVE_SCOPE : SCOPE;
    if (this.scope !== scope) this.leave(1);
    else if (this.definition !== definition) this.leave(2);
    if (open.length === 0) {
      open.push(out.begin(1));
      const resource = out.begin(1);
      writeAttributes(out, 1, this.pushed.resource);
      out.end(resource);
    }
    if (open.length === 1) {
      open.push(out.begin(2));
      const about = out.begin(1);
      out.text(1, scope);
      out.end(about);
      this.scope = scope;
    }
    if (open.length === 2) {
      open.push(out.begin(2));
      out.text(1, definition.name);
      out.text(2, definition.brief);
      out.text(3, definition.unit);
      open.push(out.begin(kind.field));
      this.definition = definition;
    }
    return kind;
  }

  /** Ends what is open but for so many. */
  private leave(kept: number): void {
    const { out, open, definition } = this;
    while (open.length > kept) {
      if (open.length === 4 && definition?.kind !== "gauge") {
        out.small(2, CUMULATIVE);
        if (definition?.kind === "counter") out.small(3, 1);
      }
      out.end(open.pop() as number);
    }
  }

  private beginPoint(startMs: number): number {
    const all = this.out.begin(1);
    this.writeTime(2, startMs);
    this.writeTime(3, this.pushed.endMs);
    return all;
  }

  private writeHistogram({ bounds, counts, sum, count }: HistogramPoint): void {
    const { out } = this;
    out.fixed64(4, count);
    out.double(5, sum);
    out.counts(6, counts);
    out.doubles(7, bounds);
  }

  /** Our bucket i is OTLP's, too. */
  private writeNative({ sum, count, native }: HistogramPoint): void {
    const { out } = this;
    const { schema = 0, zeroCount = 0, first = 0, counts = [] } = native ?? {};
    out.fixed64(4, count);
    out.double(5, sum);
    out.signed(6, schema);
    out.fixed64(7, zeroCount);
    const buckets = out.begin(8);
    out.signed(1, first);
    out.varints(2, counts);
    out.end(buckets);
  }

  private writeExemplar(field: number, exemplar: Exemplar): void {
    const { out } = this;
    const { traceId, spanId, timeMs } = exemplar;
    const all = out.begin(field);
    out.time(2, ...nanoseconds(timeMs));
    out.double(3, exemplarNumber(exemplar));
    out.bytes(4, Buffer.from(spanId, "hex"));
    out.bytes(5, Buffer.from(traceId, "hex"));
    out.end(all);
  }

  /** Most points have one of a few times. */
  private writeTime(field: number, ms: number): void {
    let time = this.times.get(ms);
    if (time === undefined) this.times.set(ms, (time = nanoseconds(ms)));
    this.out.time(field, ...time);
  }
}

/** The two halves of a time in nanoseconds. */
function nanoseconds(ms: number): readonly [high: number, low: number] {
  const all = BigInt(Math.round(ms * 1000)) * 1000n;
  return [Number(all >> 32n), Number(all & 0xffff_ffffn)];
}

function writeAttributes(out: MessageWriter, field: number, attributes: Labels): void {
  for (const key in attributes) {
    const pair = out.begin(field);
    out.text(1, key);
    const value = out.begin(2);
    out.text(1, attributes[key] as string);
    out.end(value);
    out.end(pair);
  }
}
