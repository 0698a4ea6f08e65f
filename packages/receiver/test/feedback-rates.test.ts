/** Feedback that only ever happens is a rate of the answers that get it: HTTP in, verdict out. */
import { cp, rm } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { FeedbackRates } from "../src/observe/feedback-rates.ts";
import { FeedbackRatesCheckpoint } from "../src/observe/feedback-rates-checkpoint.ts";
import type { ObservedModel } from "../src/observe/observed-model.ts";
import type { ObserverState } from "../src/observe/observer-state.ts";
import type { StateChanges, StoredState } from "../src/state/state-store.ts";
import type { CallSpan } from "./call-spans.ts";
import { encodeCalls } from "./call-spans.ts";
import { post, START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
const RATE = "evaluation.rate.copied";
const LEARN = "processors: { learn: { samples: 3000, span: 0s }, observe: { feedbackWithin: 10m }";
const YAML = `${LEARN}, evaluate: { windows: [30m], ladder: 1, dependence: none } }\n`;

/** What users do with the answers of one minute. */
interface Minute {
  readonly calls: number;
  /** Share of the answers that are copied, by version of the prompt. */
  readonly copied: Readonly<Record<string, number>>;
  /** Minutes until they are, at least and more than that. */
  readonly afterMinutes?: number;
  readonly withinMinutes?: number;
  /** What else is said of every answer: up, or down with this probability. */
  readonly said?: readonly (readonly [name: string, down: number])[];
}

/** An app whose clock is the receiver's, and whose users do not wait for each other. */
async function appWith(yaml: string, storage?: string) {
  const state = { receiver: await startReceiver(yaml, storage), running: true };
  const users = { next: random(11), id: 1, waiting: new Map<number, CallSpan[]>() };
  const stop = async () => {
    if (state.running) await state.receiver.shutdown();
    state.running = false;
  };
  onTestFinished(stop);
  const send = async (spans: readonly CallSpan[]) => {
    if (spans.length === 0) return;
    const answer = await post(`${state.receiver.otlp}/v1/traces`, encodeCalls(spans));
    expect(answer.status).toBe(200);
  };
  const minutes = async (count: number, minuteOf: (minute: number) => Minute) => {
    for (let minute = 0; minute < count; minute++) {
      const { clock } = state.receiver;
      clock.nowMs += MINUTE_MS;
      const now = Math.round((clock.nowMs - START_MS) / MINUTE_MS);
      const { calls, copied, said = [], afterMinutes = 0, withinMinutes = 6 } = minuteOf(minute);
      const versions = Object.entries(copied);
      const spans = Array.from({ length: calls }, (_, index) => {
        const [version, share] = versions[index % versions.length] as [string, number];
        const call = users.id++;
        if (users.next() < share) {
          const at = now + afterMinutes + Math.floor(users.next() * withinMinutes);
          const due = users.waiting.get(at) ?? [];
          // Who has copied an answer may well do it again.
          for (let times = users.next() < 0.2 ? 2 : 1; times > 0; times--) {
            due.push(feedback(users.id++, call, "copied", "yes", at));
          }
          users.waiting.set(at, due);
        }
        const more = said.map(([name, down]) =>
          feedback(users.id++, call, name, users.next() < down ? "down" : "up", now),
        );
        return [callOf(call, version, now), ...more];
      });
      await send([...spans.flat(), ...(users.waiting.get(now) ?? [])]);
      users.waiting.delete(now);
    }
    await state.receiver.settled();
  };
  return {
    minutes,
    send,
    stop,
    restart: async (folder: string, changed = yaml) => {
      const { nowMs } = state.receiver.clock;
      await stop();
      state.receiver = await startReceiver(changed, folder, nowMs);
      state.running = true;
    },
    receiver: () => state.receiver,
    states: async () =>
      Object.fromEntries(
        (await state.receiver.verdicts())
          .filter(({ signal }) => signal === RATE)
          .map(({ segment, state: now }) => [segment, now]),
      ) as Record<string, string>,
    counts: async (segment = "") => {
      const query = new URLSearchParams({ model: "gpt", signal: RATE, hours: "24", segment });
      const url = `${state.receiver.admin}/api/v1/history?${query}`;
      const { panes } = (await (await fetch(url)).json()) as {
        panes: { categories: Record<string, number> }[];
      };
      return panes.map(({ categories }) => categories);
    },
    signals: async () => {
      const answer = await fetch(`${state.receiver.admin}/api/v1/signals`);
      const { signals } = (await answer.json()) as {
        signals: { signal: string; segment: string; learned: number }[];
      };
      return signals.filter(({ signal }) => signal.startsWith("evaluation.rate."));
    },
  };
}

function callOf(id: number, version: string, minute: number): CallSpan {
  const toMs = minute * MINUTE_MS - 10_000;
  const prompt = version === "" ? {} : { "gen_ai.prompt.version": version };
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt",
    "gen_ai.response.id": `answer-${id}`,
    ...prompt,
  };
  return { id, trace: id, fromMs: toMs - 1000, toMs, attributes };
}

/** What `recordFeedback` of the instrumentation writes. */
function feedback(id: number, of: number, name: string, label: string, minute: number): CallSpan {
  const atMs = minute * MINUTE_MS - 5000;
  const said = { "gen_ai.evaluation.name": name, "gen_ai.evaluation.score.label": label };
  const event = { name: "gen_ai.evaluation.result", atMs, attributes: said };
  const attributes = { "ml.prediction.id": `answer-${of}` };
  return { id, trace: id, fromMs: atMs, toMs: atMs, attributes, events: [event] };
}

const hex = (id: number, bytes: number) => id.toString(16).padStart(2 * bytes, "0");

/** Mulberry32: the same users in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("the share of answers that are copied", () => {
  it("is a drift when it falls from 30 % to 10 %, of the prompt whose answers it is", async () => {
    const app = await appWith(YAML);
    await app.minutes(150, () => ({ calls: 160, copied: { v1: 0.3, v2: 0.3 } }));
    expect(await app.states()).toEqual({
      "": "stable",
      "prompt_version=v1": "stable",
      "prompt_version=v2": "stable",
    });
    await app.minutes(75, () => ({ calls: 160, copied: { v1: 0.3, v2: 0.1 } }));
    expect(await app.states()).toEqual({
      "": "drifted",
      "prompt_version=v1": "stable",
      "prompt_version=v2": "drifted",
    });
  });

  it("is a drift when it falls to nothing, and does not just vanish", async () => {
    const app = await appWith(YAML);
    await app.minutes(120, () => ({ calls: 80, copied: { "": 0.3 } }));
    expect(await app.states()).toEqual({ "": "stable" });
    await app.minutes(75, () => ({ calls: 80, copied: { "": 0 } }));
    expect(await app.states()).toEqual({ "": "drifted" });
    const verdict = (await app.receiver().verdicts()).find(({ signal }) => signal === RATE);
    expect(verdict?.["sentence"]).toContain("0");
  });

  it("is steady over a day of busy hours, a night without a call, and feedback long after", async () => {
    const app = await appWith(
      "processors: { learn: { samples: 3000, span: 0s }, evaluate: { dependence: none } }\n",
    );
    await app.minutes(1440, (minute) => {
      const isNight = minute > 700 && minute < 1000;
      const calls = isNight ? 0 : Math.round(40 + 30 * Math.sin(minute / 90));
      return { calls, copied: { "": 0.3 }, withinMinutes: 50 };
    });
    const answer = await fetch(`${app.receiver().admin}/api/v1/changes?model=gpt&limit=1000`);
    const { changes } = (await answer.json()) as { changes: { signal: string; state: string }[] };
    const alarms = changes.filter(({ state }) => state === "warning" || state === "drifted");
    expect(alarms).toEqual([]);
    expect(await app.states()).toEqual({ "": "stable" });
    const judged = await app.receiver().metric("ml_drift_evaluations_total");
    const stable = Object.entries(judged).filter(([labels]) => {
      return (
        labels.includes(RATE) && labels.includes('window="1h"') && /outcome="stable"/.test(labels)
      );
    });
    expect(stable.map(([, count]) => count)[0]).toBeGreaterThan(9);
    const violations = await app.receiver().metric("ml_quality_violations_total");
    expect(Object.keys(violations).filter((one) => one.includes("vanished"))).toEqual([]);
  }, 60_000);

  it("is no signal of an app whose users copy nothing, or say one thing and another", async () => {
    const app = await appWith(YAML);
    await app.minutes(25, () => ({
      calls: 20,
      copied: { "": 0 },
      said: [["thumbs", 0.2]],
    }));
    expect(await app.signals()).toEqual([]);
  });

  it("counts each answer once, none twice that is copied twice, and nothing that comes too late", async () => {
    const app = await appWith(YAML.replace("3000", "100"));
    await app.minutes(90, () => ({ calls: 10, copied: { "": 1 } }));
    const before = await app.counts();
    for (const { yes = 0, no } of before) expect([yes % 10, no]).toEqual([0, undefined]);
    expect(before).toContainEqual({ yes: 300 });
    await app.minutes(90, () => ({ calls: 10, copied: { "": 1 }, afterMinutes: 12 }));
    expect(await app.counts()).toContainEqual({ no: 300 });
  });

  it("counts feedback once that two reports of a call repeat", async () => {
    const app = await appWith(YAML.replace("3000", "100"));
    for (let minute = 1; minute <= 120; minute++) {
      await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
      const calls = Array.from({ length: 10 }, (_, index) => {
        const call = callOf(1000 + 20 * minute + index, "", minute);
        const said = { "gen_ai.evaluation.name": "copied", "gen_ai.evaluation.score.label": "yes" };
        const event = { name: "gen_ai.evaluation.result", atMs: call.toMs ?? 0, attributes: said };
        const told = index < 3 ? { ...call, events: [event] } : call;
        return [told, { ...told, id: 10 + call.id, parent: call.id, scope: "other" }];
      });
      await app.send(calls.flat());
    }
    await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
    expect(await app.counts()).toContainEqual({ yes: 90, no: 210 });
  });

  it("counts feedback once that names one report of a call, and then another one", async () => {
    const app = await appWith(YAML.replace("3000", "100"));
    const copy = (id: number, of: string, minute: number): CallSpan => ({
      ...feedback(id, 0, "copied", "yes", minute),
      attributes: { "ml.prediction.id": of },
    });
    for (let minute = 1; minute <= 120; minute++) {
      await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
      const ids = Array.from({ length: 10 }, (_, index) => 10_000 + 100 * minute + index);
      const copied = ids.slice(0, 3);
      await app.send(ids.map((id) => callOf(id, "", minute)));
      await app.send(copied.map((id) => copy(id + 10, `answer-${id}`, minute)));
      await app.send(
        ids.map((id) => ({ ...callOf(id, "", minute), id: id + 20, parent: id, scope: "other" })),
      );
      await app.send([
        ...copied.map((id) => copy(id + 30, `answer-${id}`, minute)),
        ...copied.map((id) => copy(id + 40, `00-${hex(id, 16)}-${hex(id + 20, 8)}-01`, minute)),
      ]);
    }
    await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
    expect(await app.counts()).toContainEqual({ yes: 90, no: 210 });
  });

  it("is that of a segment too where one report of a call tells of it, in whatever order", async () => {
    const app = await appWith(YAML.replace("3000", "100"));
    for (let minute = 1; minute <= 120; minute++) {
      await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
      const spans = Array.from({ length: 10 }, (_, index) => {
        const plain = callOf(10_000 + 100 * minute + index, "", minute);
        const { attributes } = callOf(plain.id, "v1", minute);
        const other = { ...plain, id: plain.id + 20, parent: plain.id, scope: "other", attributes };
        const reports = index % 2 === 0 ? [plain, other] : [other, plain];
        const said = feedback(plain.id + 40, plain.id, "copied", "yes", minute);
        // The last of them comes between the two reports.
        if (index === 9) reports.splice(1, 0, said);
        return index < 2 ? [...reports, said] : reports;
      });
      await app.send(spans.flat());
    }
    await app.minutes(1, () => ({ calls: 0, copied: { "": 0 } }));
    const counts = { yes: 90, no: 210 };
    expect(await app.counts()).toContainEqual(counts);
    expect(await app.counts("prompt_version=v1")).toContainEqual(counts);
  });

  it("is not counted of calls that are forgotten before their feedback can come", async () => {
    const small = YAML.replace("feedbackWithin: 10m", "feedbackWithin: 10m, recentCalls: 100");
    const app = await appWith(small);
    // A hundred calls at least are remembered: ten minutes of four each, but not of sixty.
    await app.minutes(40, () => ({ calls: 4, copied: { "": 1 } }));
    const [before] = await app.signals();
    expect(before?.learned).toBeGreaterThan(60);
    await app.minutes(40, () => ({ calls: 60, copied: { "": 1 } }));
    const [after] = await app.signals();
    expect(after?.learned).toBeLessThan(60 + (before?.learned ?? 0));
    const noted = await app.receiver().metric("tidemark_receiver_observations_total");
    expect(noted['{outcome="forgotten_call"}']).toBeGreaterThan(1000);
  });

  it.each(["feedbackWithin: 0s", "feedbackWithin: 10m, recentCalls: 0"])(
    "has no trials with %s, though it was a signal before",
    async (off) => {
      const storage = storageFolder();
      onTestFinished(() => rm(storage, { recursive: true, force: true }));
      const app = await appWith(YAML, storage);
      const minute = () => ({ calls: 20, copied: { "": 0.5 } });
      await app.minutes(30, minute);
      const [before] = await app.signals();
      expect(before?.learned).toBeGreaterThan(0);
      await app.restart(storage, YAML.replace("feedbackWithin: 10m", off));
      await app.minutes(30, minute);
      expect(await app.signals()).toEqual([before]);
    },
  );

  it("has a bounded number of names", async () => {
    const app = await appWith(YAML);
    const said = Array.from({ length: 12 }, (_, index) => [`name-${index}`, 0] as const);
    await app.minutes(30, () => ({ calls: 10, copied: { "": 0 }, said }));
    expect(await app.signals()).toHaveLength(8);
  });

  it.each(["a shutdown", "a crash"])("goes on after %s as if there had been none", async (end) => {
    const folders = [storageFolder(), storageFolder(), storageFolder()] as const;
    const [storage, copy, other] = folders;
    onTestFinished(async () => {
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    });
    const yaml = `${YAML}service: { storage: { checkpoint: 100ms } }\n`;
    const minute = () => ({ calls: 20, copied: { v1: 0.3 } });
    const app = await appWith(yaml, storage);
    const never = await appWith(yaml, other);
    for (const one of [app, never]) await one.minutes(25, minute);
    if (end === "a crash") await cp(storage, copy, { recursive: true });
    await app.restart(end === "a crash" ? copy : storage);
    for (const one of [app, never]) await one.minutes(25, minute);
    expect(await app.signals()).toEqual(await never.signals());
    expect((await app.signals()).length).toBe(2);
    expect((await app.signals())[0]?.learned).toBeGreaterThan(500);
  });
});

describe("rates of feedback", () => {
  const MINUTE = 1000;
  const AT_MS = MINUTE * MINUTE_MS;
  const model = { model: "gpt" } as ObservedModel;
  const group = { model, segments: [], promptVersion: "" };
  const said = { name: "copied", score: 1, label: undefined, timeMs: AT_MS, ids: new Uint8Array() };
  const place = (id: number) => ({ minute: MINUTE, id });

  /** Rates that have begun with the minute after 999. */
  function begun(): FeedbackRates {
    const rates = new FeedbackRates(10 * MINUTE_MS);
    for (let id = 0; id < 50; id++) rates.addFeedback(group, said, place(id), AT_MS - MINUTE_MS);
    return rates;
  }
  const ended = (rates: FeedbackRates, watermarkMs: number) => {
    const trials: object[] = [];
    rates.end(watermarkMs, MINUTE - 1, ({ happened, not, timeMs }) =>
      trials.push({ happened, not, timeMs }),
    );
    return trials;
  };

  it("count a score as well as a word, and never more than there are answers", () => {
    const rates = begun();
    rates.addCall(group, place(1));
    // On an answer, and on a call that has failed.
    for (const id of [1, 2]) rates.addFeedback(group, said, place(id), AT_MS);
    const timeMs = AT_MS + 11 * MINUTE_MS;
    expect(ended(rates, timeMs - 1)).toEqual([]);
    expect(ended(rates, timeMs)).toEqual([{ happened: 1, not: 0, timeMs }]);
    rates.addCall(group, place(3));
    expect(ended(rates, timeMs + MINUTE_MS)).toEqual([]);
  });

  it("hold no ids of calls that are forgotten", () => {
    const rates = begun();
    for (const id of [1, 2]) rates.addFeedback(group, said, place(id), AT_MS);
    const [, changed] = [...rates.changed].at(-1) as [ObservedModel, Set<number>];
    const [cohort] = [...changed].slice(-1) as [number];
    const held = () => rates.cohortItem(model, cohort)?.given.flatMap(([, calls]) => calls);
    expect(held()).toEqual([1, 2]);
    changed.clear();
    rates.end(AT_MS, MINUTE, () => {});
    expect(held()).toEqual([]);
    expect([...changed]).toEqual([cohort]);
    rates.addFeedback(group, said, place(3), AT_MS);
    expect(held()).toEqual([]);
  });

  it("are stored again when storing has failed", () => {
    const rates = begun();
    const checkpoint = new FeedbackRatesCheckpoint({} as ObserverState, rates);
    rates.addCall(group, place(1));
    const stored = () => {
      const keys: string[] = [];
      const put = (kind: string, key: string) => keys.push(`${kind} ${key}`);
      checkpoint.save({ put, delete: put } as unknown as StateChanges);
      return keys;
    };
    const all = stored();
    expect(all).toHaveLength(2);
    expect(stored()).toEqual([]);
    rates.addFeedback(group, said, place(1), AT_MS);
    expect(stored()).toEqual(all.slice(1));
    checkpoint.forgetSaved();
    expect(stored()).toEqual(all);
  });

  it("have cohorts of another length deleted, again when that has failed", async () => {
    const state = { watermark: { state: { valueMs: AT_MS } } } as unknown as ObserverState;
    const checkpoint = new FeedbackRatesCheckpoint(state, begun());
    const key = JSON.stringify(["gpt", "", MINUTE]);
    const body = JSON.stringify({ withinMs: 5 * MINUTE_MS, models: [] });
    const items = (kind: string) => [kind.endsWith("cohort") ? { key, body } : { key: "", body }];
    await checkpoint.restore({ items } as unknown as StoredState);
    const deleted = () => {
      const keys: string[] = [];
      const gone = (_: string, one: string) => keys.push(one);
      checkpoint.save({ put: () => {}, delete: gone } as unknown as StateChanges);
      return keys;
    };
    expect(deleted()).toEqual([key]);
    checkpoint.forgetSaved();
    expect(deleted()).toEqual([key]);
    expect(deleted()).toEqual([]);
  });
});
