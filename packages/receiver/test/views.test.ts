/** Views as text: what they say of documents. */
import { describe, expect, it } from "vitest";
import type {
  HealthDocument,
  HealthMetric,
  Learning,
  ModelDocument,
  SignalDocument,
} from "../ui/src/documents.ts";
import { toHtml } from "../ui/src/element.ts";
import { placeOf } from "../ui/src/place.ts";
import { healthView } from "../ui/src/views/health-view.ts";
import { headline } from "../ui/src/views/model-view.ts";
import { signalView } from "../ui/src/views/signal-view.ts";

function metric(name: string, value: number, labels: Record<string, string> = {}): HealthMetric {
  return { name, brief: name, unit: "{x}", kind: "counter", points: [{ labels, value }] };
}

function healthOf(...metrics: HealthMetric[]): string {
  const times = { nowMs: 60_000, startedMs: 0 };
  const links = { jaeger: null, grafana: null };
  const rest = { version: "1", ready: true, memoryBytes: 1, windows: [], links, metrics };
  const document: HealthDocument = { ...times, ...rest };
  return healthView(document).map(toHtml).join("");
}

describe("The receiver's health", () => {
  it("shows first what deserves a look, whether its label says so or its name", () => {
    const text = healthOf(
      metric("received", 5),
      metric("spans", 3, { outcome: "rejected" }),
      metric("log.failures", 2),
      metric("requests", 1, { transport: "http", code: "503" }),
      metric("config.valid", 0),
    );
    expect(text).toContain("4 counters to look at");
    expect(text.match(/▲ /g)).toHaveLength(4 + 1);
    expect(text.indexOf("received</h2>")).toBeGreaterThan(text.indexOf("config.valid</h2>"));
  });

  it("marks nothing while nothing is wrong", () => {
    const calm = healthOf(
      metric("log.failures", 0),
      metric("requests", 90, { code: "200" }),
      metric("config.valid", 1),
    );
    expect(calm).not.toContain("▲");
  });
});

describe("A model's headline", () => {
  const documentOf = (...states: string[]) =>
    ({ signals: states.map((state) => ({ state })), segmentRanking: [] }) as unknown;

  it.each([
    [["drifted", "stable"], "1 of 2 signals drifted"],
    [["warning", "silent"], "1 signal may be moving"],
    [["silent", "silent", "learning"], "2 of 3 signals fell silent"],
    [["learning", "learning"], "Learning what is normal"],
    [["insufficient"], "Nothing could be judged yet"],
    [["stable", "stable"], "All signals are as the reference"],
    [["stable", "insufficient"], "1 of 2 signals are as the reference"],
  ])("of %j is %s", (states, text) => {
    expect(headline(documentOf(...states) as ModelDocument)).toBe(text);
  });
});

describe("A signal without a picture", () => {
  function shown(learning: Learning | null, against: string): string {
    const none = {
      verdicts: [],
      slices: [],
      runs: [],
      exemplars: [],
      segmentRanking: [],
      quality: [],
      changes: [],
    };
    const known = {
      signal: "x",
      state: "stable",
      sinceMs: null,
      comparison: null,
      reference: null,
    };
    const range = { nowMs: 1, fromMs: 0, toMs: 1, links: { jaeger: null, grafana: null } };
    const document = { ...none, ...known, ...range, learning } as unknown as SignalDocument;
    const place = placeOf(`?model=m&signal=x&against=${against}`);
    const setting = { place, href: () => undefined, isReport: false, width: 800 };
    return signalView(document, setting).map(toHtml).join("");
  }

  it("says what it lacks", () => {
    expect(shown(null, "")).toContain("Choose a longer range");
    expect(shown(null, "1-2")).toContain("Choose another range or version");
  });

  it("has learned as much as what lags behind", () => {
    const hasty = { learned: 5000, needed: 5000, learnedSpanMs: 6, neededSpanMs: 24 };
    expect(shown(hasty, "")).toContain('value="0.25"');
    expect(shown({ ...hasty, learned: 500, neededSpanMs: 0 }, "")).toContain('value="0.1"');
  });
});
