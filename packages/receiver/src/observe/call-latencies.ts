/** How long a model's calls take, by what is measured and by tenant. */
import type { HistogramPoint, Labels } from "../metric-family.js";
import type { SpanPlace } from "./exemplar-slots.js";
import type { HistogramItem } from "./latency-histogram.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { TenantRoom } from "./usage-counts.js";
import { OTHER_TENANT, TENANT_LENGTH_MAX } from "./usage-counts.js";

/** Histograms of tenants over all models, 3 KB each; further tenants share those of the others. */
const HISTOGRAMS_MAX = 3000;

/** What is measured of a call. */
export type CallLatency = "duration" | "timeToFirstToken" | "timeBetweenTokens";

/** One histogram as it is stored. */
export interface CallLatencyItem {
  readonly of: CallLatency;
  readonly tenant: string;
  readonly histogram: HistogramItem;
}

interface Place {
  readonly of: CallLatency;
  readonly tenant: string;
  readonly histogram: LatencyHistogram;
}

/** Room for as many as there may be, shared by all models. */
export function histogramRoom(): TenantRoom {
  return { left: HISTOGRAMS_MAX };
}

/** The histograms of one model. */
export class CallLatencies {
  private readonly places = new Map<string, Place>();
  private readonly room: TenantRoom;

  constructor(room: TenantRoom) {
    this.room = room;
  }

  /** Whether nothing has been measured. */
  get isEmpty(): boolean {
    return this.places.size === 0;
  }

  /** Adds seconds; `place` is the call's span. */
  add(of: CallLatency, tenant: string, seconds: number, place?: SpanPlace): void {
    this.histogram(of, tenant).add(seconds, place);
  }

  /** One point a tenant. */
  *points(of: CallLatency, model: Labels): Generator<HistogramPoint> {
    for (const { of: kind, tenant, histogram } of this.places.values()) {
      if (kind === of) yield histogram.point({ ...model, tenant });
    }
  }

  /** Everything, to be stored. */
  items(): CallLatencyItem[] {
    return [...this.places.values()].map(({ of, tenant, histogram }) => {
      return { of, tenant, histogram: histogram.item() };
    });
  }

  /** Takes up what {@link items} gave. */
  restore(items: readonly CallLatencyItem[]): void {
    for (const { of, tenant, histogram } of items) {
      this.histogram(of, tenant).restore(histogram);
    }
  }

  private histogram(of: CallLatency, tenant: string): LatencyHistogram {
    const key = `${of} ${tenant}`;
    const known = this.places.get(key);
    if (known) return known.histogram;
    // A model whose spans name no tenant takes nobody's room.
    const isNamed = tenant !== "" && tenant !== OTHER_TENANT;
    if (isNamed && (this.room.left === 0 || tenant.length > TENANT_LENGTH_MAX)) {
      return this.histogram(of, OTHER_TENANT);
    }
    if (isNamed) this.room.left--;
    const place = { of, tenant, histogram: new LatencyHistogram() };
    this.places.set(key, place);
    return place.histogram;
  }
}
