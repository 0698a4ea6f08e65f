/** KLL, frequent items and HyperLogLog, exchanged with Apache DataSketches in both directions. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FrequentItems, HllSketch, KllSketch } from "@tidemark/stats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, runPeer } from "./peer-programs.ts";

type Row = number | string;
type Sketch = KllSketch | FrequentItems | HllSketch;

interface Case {
  readonly kind: "kll" | "frequent" | "hll4" | "hll6" | "hll8";
  readonly size: number;
  readonly rows: Row[];
  readonly sketch: Sketch;
}

interface Answer {
  readonly ours: Record<string, unknown>;
  readonly theirs: Record<string, unknown>;
  readonly bytes: string;
}

/** Without 0 and 1, where ours says the exact extremes and theirs the least and largest item. */
const SHARES = [0.01, 0.25, 0.5, 0.9, 0.99];
const folder = mkdtempSync(join(tmpdir(), "tidemark-datasketches-"));
const cases = [...kllCases(), ...frequentCases(), ...hllCases()];
let answers: Answer[] = [];

beforeAll(async () => {
  const file = join(folder, "requests.json");
  const requests = cases.map(({ kind, size, rows, sketch }) => {
    return { kind, size, rows, bytes: Buffer.from(sketch.serialise()).toString("base64") };
  });
  writeFileSync(file, JSON.stringify(requests));
  const script = join(ROOT, "test/peers/programs/datasketches/exchange.py");
  const { exitCode, output } = await runPeer("datasketches", [script, file]);
  expect(exitCode, output).toBe(0);
  answers = JSON.parse(output) as Answer[];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("DataSketches", () => {
  it("reads every sketch of ours and says of it what ours says", () => {
    for (const [i, each] of cases.entries()) {
      expectAlike(answers[i]?.ours, factsOf(each.sketch), titleOf(each));
    }
  });

  it("writes sketches of which ours says what it says", () => {
    for (const [i, each] of cases.entries()) {
      const bytes = Buffer.from(answers[i]?.bytes ?? "", "base64");
      expectAlike(factsOf(read(each.kind, bytes)), answers[i]?.theirs, titleOf(each));
    }
  });

  it("counts distinct rows as ours does, and all rows as long as nothing is approximate", () => {
    for (const [i, each] of cases.entries()) {
      if (each.kind === "kll" && each.rows.length > each.size) continue;
      if (each.kind === "frequent" && each.rows.length > 200) continue;
      expectAlike(answers[i]?.theirs, factsOf(each.sketch), titleOf(each));
    }
  });
});

function kllCases(): Case[] {
  return [8, 200, 2048].flatMap((size) =>
    [0, 1, 7, 200, 3000, 40_000].map((n): Case => {
      const rows = Array.from({ length: n }, (_, i) => (((i * 7919) % 10_007) - 5000) / 8);
      const [sketch, other] = [new KllSketch({ k: size }), new KllSketch({ k: size, seed: 1 })];
      // Half of the rows by a merge, as soon as nothing is exact any longer.
      const merged = n > size ? n / 2 : n;
      for (const [i, row] of rows.entries()) (i < merged ? sketch : other).add(row);
      sketch.merge(other);
      return { kind: "kll", size, rows, sketch };
    }),
  );
}

function frequentCases(): Case[] {
  return [8, 64, 1024].flatMap((size) =>
    [0, 1, 5, 200, 20_000].map((n): Case => {
      const names = ["", "a", "grün", "€", "𝄞", "a name that is longer than the others"];
      const rows = Array.from({ length: n }, (_, i) => {
        const rank = ((i * 7919) % 1009) % (1 + (i % 7) ** 2);
        return (names[rank] ?? "name ") + rank + (n > 200 ? (i * 31) % 5 : "");
      });
      const sketch = new FrequentItems({ mapSize: size });
      sketch.addMany(rows);
      return { kind: "frequent", size, rows, sketch };
    }),
  );
}

function hllCases(): Case[] {
  return (["hll4", "hll6", "hll8"] as const).flatMap((kind) =>
    [4, 7, 8, 12, 14].flatMap((size) =>
      [0, 1, 7, 8, 100, 20_000].map((n): Case => {
        const rows = Array.from({ length: n }, (_, i) => (i % 2 ? `row ${i}` : i + 0.5));
        const sketch = new HllSketch({ lgK: size });
        for (const row of rows) sketch.add(row);
        return { kind, size, rows, sketch };
      }),
    ),
  );
}

function read(kind: Case["kind"], bytes: Uint8Array): Sketch {
  if (kind === "kll") return KllSketch.deserialise(bytes);
  return kind === "frequent" ? FrequentItems.deserialise(bytes) : HllSketch.deserialise(bytes);
}

/** What exchange.py says of each kind. */
function factsOf(sketch: Sketch): Record<string, unknown> {
  if (sketch instanceof HllSketch) return { estimate: sketch.estimate() };
  if (sketch instanceof KllSketch) {
    const { count, retained, min, max } = sketch;
    const quantiles = count === 0 ? [] : [min, ...sketch.quantiles(SHARES), max];
    return { count, retained, quantiles };
  }
  const possible = sketch
    .frequentItems("possible")
    .map((found) => [found.item, [found.lowerBound, found.upperBound]] as const);
  return { count: sketch.count, size: sketch.size, possible: Object.fromEntries(possible) };
}

/** Exactly, but for estimates, which are sums in another order. */
function expectAlike(
  actual: Record<string, unknown> | undefined,
  expected: Record<string, unknown> | undefined,
  title: string,
): void {
  const estimate = expected?.["estimate"];
  if (typeof estimate !== "number") {
    expect(actual, title).toEqual(expected);
    return;
  }
  const off = Math.abs((actual?.["estimate"] as number) - estimate);
  expect(off, title).toBeLessThanOrEqual(1e-9 * estimate);
}

function titleOf(each: Case): string {
  return `${each.kind} of size ${each.size}, ${each.rows.length} rows`;
}
