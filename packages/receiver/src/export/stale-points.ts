/**
 * What was pushed and is no more. A scrape notices by itself that a series has gone; whoever is
 * pushed to has to be told, by a last point without a value.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value
 */
import type { MetricDefinition } from "@tidemark/semconv";
import type { Labels } from "../metric-family.js";

/** What a series is beside its name and labels; the same object for many. */
export interface SeriesForm {
  /** Since when its points count, in ms since the epoch. */
  readonly startMs: number;
  /** Of a histogram. */
  readonly bounds?: readonly number[] | undefined;
  /** Of a native histogram. */
  readonly schema?: number | undefined;
}

/** A series that has gone. */
export interface GoneSeries extends SeriesForm {
  readonly definition: MetricDefinition;
  readonly labels: Labels;
}

/** The series of one endpoint. */
export class StalePoints {
  /** What has been seen in this push, and of the one before what has not yet been. */
  private current = new Map<string, SeriesForm>();
  private missed = new Map<string, SeriesForm>();
  /** What has gone, until the endpoint knows. */
  private readonly gone = new Map<string, SeriesForm>();
  private readonly definitions = new Map<string, MetricDefinition>();
  private latest: SeriesForm | undefined;

  /** A push begins. */
  begin(): void {
    // Of a push that broke off, too.
    for (const [key, form] of this.missed) this.current.set(key, form);
    this.missed = this.current;
    this.current = new Map();
  }

  /** A series is pushed. */
  see(definition: MetricDefinition, labels: Labels, form: SeriesForm): void {
    const { latest } = this;
    const isLike =
      latest?.startMs === form.startMs &&
      latest.bounds === form.bounds &&
      latest.schema === form.schema;
    if (!isLike) this.latest = form;
    const { name } = definition;
    this.definitions.set(name, definition);
    const key = JSON.stringify([name, form.schema !== undefined, labels]);
    this.current.set(key, this.latest as SeriesForm);
    this.missed.delete(key);
  }

  /** What is to be pushed beside it, when all of it has been seen: what has gone. */
  *end(): Generator<GoneSeries> {
    const { current, missed, gone } = this;
    for (const [key, form] of missed) gone.set(key, form);
    this.missed = new Map();
    for (const [key, form] of gone) {
      if (current.has(key)) {
        gone.delete(key);
        continue;
      }
      const [name, , labels] = JSON.parse(key) as [string, boolean, Labels];
      yield { ...form, definition: this.definitions.get(name) as MetricDefinition, labels };
    }
  }

  /** The endpoint has been told. */
  told(): void {
    this.gone.clear();
  }
}
