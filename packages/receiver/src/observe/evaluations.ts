/**
 * Joins what is said of answers - thumbs, copied, edited, scores of judges - to the calls that have
 * given them, so that it counts for their model, segments and prompt version. Either may come
 * first: an evaluation whose call is unknown waits for it, within bounds, and then counts for
 * whomever its own span names.
 */
import { METRICS } from "@tidemark/semconv";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { CallGroup, GroupItem } from "./call-groups.js";
import { CallGroups, itemOf, NO_GROUP } from "./call-groups.js";
import type { CallPlace } from "./call-memory.js";
import { CallMemory } from "./call-memory.js";
import type { ObserverState } from "./observer-state.js";

/** Evaluations that may wait at once, some 500 bytes each; beyond, the oldest waits no longer. */
const WAITING_MAX = 10_000;

/** What an evaluation says of an answer. */
export interface Judgement {
  readonly name: string;
  /** Finite; undefined when there is only a label. */
  readonly score: number | undefined;
  readonly label: string | undefined;
  /** When it was given, in milliseconds since the epoch. */
  readonly timeMs: number;
  /** Of the span that tells of it: 16 bytes of its trace, and 8 of its own. */
  readonly ids: Uint8Array;
}

/** A judgement and the call that it names. */
export interface Evaluation extends Judgement {
  /** The keys by which its call is known, if it is by any; the best first. */
  readonly refs: readonly string[];
  /** The key of what is tried when no call by those keys has come; empty for nothing. */
  readonly lastRef: string;
  /** Whose it is when there is no call. */
  readonly own: CallGroup;
}

interface Waiting {
  readonly evaluation: Evaluation;
  readonly untilMs: number;
}

/** One that waits, as it is stored. */
export type WaitingItem = Omit<Evaluation, "own" | "ids"> & {
  readonly own: GroupItem;
  readonly ids: string;
  readonly untilMs: number;
};

/** How often evaluations have met which end, as it is stored. */
export type OutcomeItem = readonly [outcome: string, count: number];

/**
 * Counts a judgement for a group.
 * @param call undefined when it is not known of which it is
 */
export type OnJudgement = (
  judgement: Judgement,
  group: CallGroup,
  call: CallPlace | undefined,
) => void;

const OUTCOMES = ["joined", "unjoined", "without_call"] as const;

/** Owned by the observer. */
export class Evaluations {
  readonly calls: CallMemory;
  readonly groups = new CallGroups();
  /** Grows with every change of what waits. */
  waitingChanges = 0;
  private readonly waitMs: number;
  /** In the order in which they came, so that the first one is the first to wait no longer. */
  private readonly waiting = new Set<Waiting>();
  private readonly byRef = new Map<string, Set<Waiting>>();
  private readonly outcomes = new CounterSet(OUTCOMES.map((outcome) => ({ outcome })));
  private readonly count: OnJudgement;

  /**
   * @param calls how many calls are remembered at least
   * @param waitMs how long an evaluation waits for its call
   * @param count counts one for a group
   */
  constructor(calls: number, waitMs: number, count: OnJudgement) {
    this.calls = new CallMemory(calls);
    this.waitMs = waitMs;
    this.count = count;
  }

  /** A call has been counted, made in that minute: what has waited for it counts now. */
  addCall(keys: readonly string[], group: CallGroup, minute: number): CallPlace | undefined {
    const id = this.groups.idOf(group);
    if (id === NO_GROUP) return undefined;
    const call = this.calls.add(keys, id, minute);
    if (this.waiting.size === 0) return call;
    const found = this.groups.at(id) as CallGroup;
    for (const key of keys) {
      for (const waiting of this.byRef.get(key) ?? []) {
        this.remove(waiting);
        this.settle(waiting.evaluation, found, "joined", call);
      }
    }
    return call;
  }

  /**
   * A further report of a call has come, whose first key is that of the first report: it is the
   * same call, of whose group either may know a part.
   * @returns the call, and its segments of which no report before this one has told
   */
  addReport(
    keys: readonly string[],
    group: CallGroup,
    minute: number,
  ): { call: CallPlace | undefined; added: CallGroup["segments"] } {
    const known = this.calls.find(keys[0] as string);
    const first = known && this.groups.at(known.group);
    if (known === undefined || first === undefined) {
      return { call: this.addCall(keys, group, minute), added: [] };
    }
    const added = group.segments.filter((segment) => !first.segments.includes(segment));
    const segments = [...first.segments, ...added];
    const promptVersion = first.promptVersion === "" ? group.promptVersion : first.promptVersion;
    const all = { model: first.model, segments, promptVersion };
    return { call: this.addCall(keys, all, known.minute), added };
  }

  /** Counts an evaluation of the very call whose span tells of it. */
  addToCall(judgement: Judgement, group: CallGroup, call: CallPlace | undefined): void {
    this.settle(judgement, group, "joined", call);
  }

  /** Counts an evaluation for its call, or lets it wait for that. */
  add(evaluation: Evaluation, nowMs: number): void {
    const { refs, own } = evaluation;
    if (refs.length === 0) {
      this.settle(evaluation, own, "without_call");
      return;
    }
    for (const ref of refs) if (this.join(evaluation, ref)) return;
    this.wait({ evaluation, untilMs: nowMs + this.waitMs });
    if (this.waiting.size <= WAITING_MAX) return;
    const [oldest] = this.waiting;
    this.giveUp(oldest as Waiting);
  }

  /** Lets nobody wait any longer than that. */
  advance(nowMs: number): void {
    for (const waiting of this.waiting) {
      if (waiting.untilMs > nowMs) return;
      this.giveUp(waiting);
    }
  }

  /** What became of evaluations. */
  metrics(): MetricFamily[] {
    const waiting = [{ labels: {}, value: this.waiting.size }];
    return [
      { definition: METRICS.receiverEvaluations, points: this.outcomes.snapshot() },
      { definition: METRICS.evaluationsWaiting, points: waiting },
    ];
  }

  /** What has become of evaluations, to be stored. */
  outcomeItems(): OutcomeItem[] {
    return this.outcomes.snapshot().map(({ labels, value }) => {
      return [labels["outcome"] as string, value] as const;
    });
  }

  /** What waits, to be stored. */
  waitingItems(): WaitingItem[] {
    return [...this.waiting].map(({ evaluation, untilMs }) => {
      const { own, ids, ...rest } = evaluation;
      return { ...rest, own: itemOf(own), ids: Buffer.from(ids).toString("hex"), untilMs };
    });
  }

  /** Takes up what was stored; the groups are restored already. */
  restore(
    outcomes: readonly OutcomeItem[],
    waiting: readonly WaitingItem[],
    state: ObserverState,
  ): void {
    for (const [outcome, count] of outcomes) this.outcomes.add({ outcome }, count);
    for (const { own, ids, untilMs, ...rest } of waiting) {
      const [name, version, promptVersion, segments] = own;
      const model = state.modelNamed(name, version);
      if (model === undefined) continue;
      const found = segments.flatMap((segment) => state.segment(model, segment) ?? []);
      const group = { model, segments: found, promptVersion };
      const bytes = new Uint8Array(Buffer.from(ids, "hex"));
      this.wait({ evaluation: { ...rest, ids: bytes, own: group }, untilMs });
    }
  }

  /** @returns whether a call is known by that key, and the evaluation counted as its */
  private join(evaluation: Evaluation, ref: string): boolean {
    const call = this.calls.find(ref);
    const group = call && this.groups.at(call.group);
    if (group === undefined) return false;
    this.settle(evaluation, group, "joined", call);
    return true;
  }

  private wait(waiting: Waiting): void {
    this.waitingChanges++;
    this.waiting.add(waiting);
    for (const ref of waiting.evaluation.refs) {
      const others = this.byRef.get(ref) ?? new Set();
      this.byRef.set(ref, others.add(waiting));
    }
  }

  private remove(waiting: Waiting): void {
    this.waitingChanges++;
    this.waiting.delete(waiting);
    for (const ref of waiting.evaluation.refs) {
      const others = this.byRef.get(ref);
      others?.delete(waiting);
      if (others?.size === 0) this.byRef.delete(ref);
    }
  }

  private giveUp(waiting: Waiting): void {
    const { evaluation } = waiting;
    this.remove(waiting);
    if (evaluation.lastRef !== "" && this.join(evaluation, evaluation.lastRef)) return;
    this.settle(evaluation, evaluation.own, "unjoined");
  }

  private settle(
    judgement: Judgement,
    group: CallGroup,
    outcome: (typeof OUTCOMES)[number],
    call?: CallPlace,
  ): void {
    this.outcomes.add({ outcome });
    this.count(judgement, group, call);
  }
}
