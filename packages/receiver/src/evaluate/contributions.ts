/**
 * Where a drift comes from: which signals of the model moved, and which segments of its traffic
 * moved the one that drifts. Kept for windows that drift, as long as they do.
 */
import { SEGMENT_MIX } from "@tidemark/semconv";
import type { EventRate, RankedSignal, SegmentContribution } from "@tidemark/stats";
import {
  CategoryCounts,
  GridSummary,
  gridDistance,
  rankSignals,
  segmentContributions,
} from "@tidemark/stats";
import type { ClosedWindow, SignalIdentity } from "../closed-window.js";
import { RATE_EVENT } from "../references/reference.js";
import { referenceOf } from "./comparison.js";
import type { Verdict } from "./verdict.js";

/** Of segments that are not monitored, or still learn what is normal. */
const OTHERS = "(others)";

/** What the share of rows is of that has moved most. */
export type MovedProperty = { readonly atMost: number } | { readonly category: string };

/** How one attribute's segments have moved a signal. */
export interface SegmentRanking {
  readonly attribute: string;
  readonly segments: readonly SegmentContribution[];
}

/** Where the drift of one signal comes from. */
export interface Origin {
  readonly signal: SignalIdentity;
  readonly property: MovedProperty;
  /** Share of rows with the property: in the reference, and in the window. */
  readonly before: number;
  readonly after: number;
  readonly rankings: readonly SegmentRanking[];
}

interface Sides {
  readonly reference: EventRate;
  readonly live: EventRate;
}

interface DriftedWindow {
  readonly signal: SignalIdentity;
  readonly endMs: number;
  readonly property: MovedProperty;
  readonly all: Sides;
  readonly segments: Map<string, Sides>;
}

/** How the traffic of one window was made up; summaries are only lent, so it is a copy. */
interface Mix {
  readonly endMs: number;
  readonly reference: CategoryCounts;
  readonly live: CategoryCounts;
}

/** The last windows that drifted, by signal and window length. */
export class Contributions {
  private readonly drifted = new Map<string, DriftedWindow>();
  /** How the traffic of a window is made up, by model, window length and attribute. */
  private readonly mixes = new Map<string, Map<string, Mix>>();
  private readonly windowNames: readonly string[];

  /** @param windowNames the window lengths as verdicts call them */
  constructor(windowNames: readonly string[]) {
    this.windowNames = windowNames;
  }

  /** Takes note of a window and whether it drifts; a model's own come before its segments'. */
  consume(window: ClosedWindow, isDrifted: boolean): void {
    const { signal, summary } = window;
    if (summary.count === 0) return;
    const closed = { ...window, reference: referenceOf(window) };
    if (signal.segment !== "") {
      this.addSegment(closed);
      return;
    }
    if (signal.name.startsWith(SEGMENT_MIX)) this.addMix(closed);
    const key = keyOf(signal, this.nameOf(closed));
    const property = isDrifted ? movedProperty(closed) : undefined;
    const all = property && sidesOf(closed, property);
    if (property === undefined || all === undefined) this.drifted.delete(key);
    else {
      const { endMs } = closed;
      this.drifted.set(key, { signal, endMs, property, all, segments: new Map() });
    }
  }

  /** Where the drift of a signal comes from; undefined when it does not drift. */
  originOf({ signal, window }: Pick<Verdict, "signal" | "window">): Origin | undefined {
    const drifted = this.drifted.get(keyOf(signal, window));
    if (drifted === undefined) return undefined;
    const { property, all } = drifted;
    const mixes = this.mixes.get(modelKeyOf(signal, window)) ?? new Map<string, Mix>();
    const rankings = [...mixes]
      .filter(([, mix]) => mix.endMs === drifted.endMs)
      .map(([attribute, mix]) => rankingOf(attribute, mix, drifted));
    return { signal, property, before: shareOf(all.reference), after: shareOf(all.live), rankings };
  }

  private nameOf({ window }: ClosedWindow): string {
    return this.windowNames[window] as string;
  }

  private addMix(closed: ClosedWindow): void {
    const model = modelKeyOf(closed.signal, this.nameOf(closed));
    const { signal, endMs, reference, summary } = closed;
    if (reference.kind !== "categorical" || summary instanceof GridSummary) return;
    const mixes = this.mixes.get(model) ?? new Map<string, Mix>();
    const mix = { endMs, reference: reference.categories, live: summary.clone() };
    mixes.set(signal.name.slice(SEGMENT_MIX.length), mix);
    this.mixes.set(model, mixes);
  }

  private addSegment(closed: ClosedWindow): void {
    const { signal, endMs } = closed;
    const drifted = this.drifted.get(keyOf(signal, this.nameOf(closed)));
    if (drifted?.endMs !== endMs) return;
    const sides = sidesOf(closed, drifted.property);
    if (sides) drifted.segments.set(signal.segment, sides);
  }
}

/** The signals of a model and window length that moved most, all of them its own. */
export function rankedSignals(verdicts: readonly Verdict[]): RankedSignal[] {
  const own = verdicts.filter(({ signal }) => signal.segment === "");
  return rankSignals(own.map(({ signal, evaluation }) => ({ name: signal.name, evaluation })));
}

/** Segments that are known by the mix and have a window of their own; the rest is one. */
function rankingOf(attribute: string, mix: Mix, drifted: DriftedWindow): SegmentRanking {
  const { reference, live } = mix;
  const known = [...drifted.segments].flatMap(([segment, sides]) => {
    const [name = "", ...value] = segment.split("=");
    if (name !== attribute) return [];
    const category = value.join("=");
    const referenceShare = reference.get(category) / reference.count;
    return [
      { name: category, referenceShare, liveShare: live.get(category) / live.count, ...sides },
    ];
  });
  const rest = {
    referenceShare: Math.max(0, 1 - known.reduce((sum, one) => sum + one.referenceShare, 0)),
    liveShare: Math.max(0, 1 - known.reduce((sum, one) => sum + one.liveShare, 0)),
  };
  const explained = (side: "reference" | "live", share: "referenceShare" | "liveShare") =>
    known.reduce((sum, one) => sum + one[share] * shareOf(one[side]), 0);
  const remaining = (side: "reference" | "live", share: "referenceShare" | "liveShare") => {
    const events = shareOf(drifted.all[side]) - explained(side, share);
    const rate = rest[share] > 0 ? Math.min(1, Math.max(0, events / rest[share])) : 0;
    return rest[share] > 0 ? { events: rate, rows: 1 } : undefined;
  };
  const others = {
    name: OTHERS,
    ...rest,
    reference: remaining("reference", "referenceShare"),
    live: remaining("live", "liveShare"),
  };
  const isWhole = rest.referenceShare < 1e-9 && rest.liveShare < 1e-9;
  return { attribute, segments: segmentContributions(isWhole ? known : [...known, others]) };
}

/** At most the edge where the shares differ most; the category whose share has changed most. */
function movedProperty({ reference, summary }: ClosedWindow): MovedProperty | undefined {
  if (reference.kind === "numeric") {
    if (!(summary instanceof GridSummary)) return undefined;
    const { edge } = gridDistance(reference.grid, summary);
    return { atMost: reference.grid.edges[edge] as number };
  }
  if (summary instanceof GridSummary) return undefined;
  if (reference.rate) return { category: RATE_EVENT };
  const { categories } = reference;
  let most = -1;
  let moved = "";
  for (const category of new Set([...categories.names(), ...summary.names()])) {
    const before = categories.get(category) / categories.count;
    const change = Math.abs(summary.get(category) / summary.count - before);
    if (change > most) [most, moved] = [change, category];
  }
  return { category: moved };
}

function sidesOf({ reference, summary }: ClosedWindow, property: MovedProperty): Sides | undefined {
  if ("atMost" in property) {
    if (reference.kind !== "numeric" || !(summary instanceof GridSummary)) return undefined;
    return {
      reference: rateBelow(reference.grid, property.atMost),
      live: rateBelow(summary, property.atMost),
    };
  }
  if (reference.kind === "numeric" || summary instanceof GridSummary) return undefined;
  const of = (counts: CategoryCounts) => ({
    events: counts.get(property.category),
    rows: counts.count,
  });
  return { reference: of(reference.categories), live: of(summary) };
}

function rateBelow(law: { count: number; rank(x: number): number }, x: number): EventRate {
  return { events: law.count === 0 ? 0 : law.rank(x) * law.count, rows: law.count };
}

function shareOf({ events, rows }: EventRate): number {
  return rows === 0 ? 0 : events / rows;
}

function keyOf({ model, version, name }: SignalIdentity, window: string): string {
  return JSON.stringify([model, version, name, window]);
}

function modelKeyOf({ model, version }: SignalIdentity, window: string): string {
  return JSON.stringify([model, version, window]);
}
