import { CategoryCounts, GridSummary, ReferenceGrid } from "@tidemark/stats";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { outputDiversity } from "../src/evaluate/output-diversity.ts";
import type { Reference } from "../src/references/reference.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

const origin = { name: "r", provisional: false, missing: 0 };
const random = seeded(5);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const normals = (count: number, deviation = 1) =>
  Float64Array.from({ length: count }, () => deviation * normal());

function numbers(count: number): Reference & { kind: "numeric" } {
  return { ...origin, kind: "numeric", grid: ReferenceGrid.fromSample(normals(count)) };
}

function counted({ grid }: { grid: ReferenceGrid }, values: Float64Array): GridSummary {
  const summary = new GridSummary(grid);
  summary.addMany(values);
  return summary;
}

function classes(shares: readonly number[], rows: number): CategoryCounts {
  const counts = new CategoryCounts();
  for (const [at, share] of shares.entries()) counts.add(`class ${at}`, share * rows);
  return counts;
}

describe("the diversity of outputs", () => {
  it("is the ratio of deviations, and of equally common classes", () => {
    const reference = numbers(50_000);
    const live = counted(reference, normals(50_000, 0.7));
    const found = outputDiversity(reference, live, { phi: 1, alpha: 1e-6 });
    expect(found?.ratio).toBeCloseTo(0.7, 2);
    expect(found).toMatchObject({ collapsed: true });
    const categories = classes([0.25, 0.25, 0.25, 0.25], 4000);
    const mix: Reference = { ...origin, kind: "categorical", categories };
    const halved = outputDiversity(mix, classes([0.5, 0.5], 4000), { phi: 1, alpha: 1e-6 });
    // Four equally common classes, then two; Miller's correction is 3 and 1 over 8,000.
    expect(halved?.ratio).toBeCloseTo(0.5 * Math.exp(1 / 8000 - 3 / 8000), 10);
    expect(halved?.collapsed).toBe(true);
  });

  it("calls nothing collapsed at the floor more often than its level says", () => {
    let collapsed = 0;
    const runs = 3000;
    for (let run = 0; run < runs; run++) {
      const reference = numbers(2000);
      const live = counted(reference, normals(600, 0.8));
      if (outputDiversity(reference, live, { phi: 1, alpha: 0.01 })?.collapsed) collapsed++;
    }
    // 30 expected on the boundary; the 99.9 % point of a binomial law.
    expect(collapsed).toBeLessThanOrEqual(48);
    expect(collapsed).toBeGreaterThan(5);
  });

  it("needs more rows the more they depend on each other, and says nothing of too few", () => {
    const reference = numbers(5000);
    const live = counted(reference, normals(2000, 0.7));
    const bound = (phi: number) =>
      outputDiversity(reference, live, { phi, alpha: 1e-4 })?.upperBound ?? Number.NaN;
    expect(bound(1)).toBeLessThan(bound(4));
    expect(outputDiversity(reference, live, { phi: 21, alpha: 1e-4 })).toBeUndefined();
    const constant: Reference = { ...reference, grid: ReferenceGrid.fromSample([1, 1, 1]) };
    const same = counted(constant as { grid: ReferenceGrid }, new Float64Array(500).fill(1));
    expect(outputDiversity(constant, same, { phi: 1, alpha: 0.01 })).toBeUndefined();
  });
});

describe("a model whose scores become alike", () => {
  const running: Awaited<ReturnType<typeof startReceiver>>[] = [];
  afterEach(async () => {
    for (const receiver of running.splice(0)) await receiver.shutdown();
  });

  it("is said to have collapsed while no distance shows a drift", async () => {
    const receiver = await startReceiver(
      "processors:\n  learn: { samples: 20000, span: 0s }\n" +
        "  observe: { allowedLateness: 0s, idleTimeout: 1h }\n" +
        "  evaluate: { windows: [5m], ladder: 1, dependence: none }\n",
    );
    running.push(receiver);
    const rows = 20_000;
    for (const [window, deviation] of [1, 0.74, 1].entries()) {
      const fromMs = START_MS + window * 300_000;
      receiver.clock.nowMs = fromMs + 300_000;
      const value = [...normals(rows, deviation)];
      const attributes = {
        "ml.model.name": "m",
        "ml.stage": "inference",
        "ml.prediction.value": value,
      };
      const sent = await receiver.send([{ atMs: fromMs + 1000, attributes }]);
      expect(sent.status).toBe(200);
    }
    const [verdict] = await receiver.verdicts();
    expect(verdict).toMatchObject({ signal: "prediction.value", state: "stable" });
    expect(verdict?.["diversity"]).toMatchObject({ collapsed: true });
    const [metric] = Object.values(await receiver.metric("ml_output_diversity"));
    expect(metric).toBeCloseTo(0.74, 1);
  });
});
