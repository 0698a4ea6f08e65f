import { expect, it, onTestFinished } from "vitest";
import { START_MS, startReceiver } from "./running-receiver.ts";

const MINUTE_MS = 60_000;

/** The level at which each signal of a model with so many features is tested, by an alarm's promise. */
async function levels(promise: string, features: number): Promise<Set<number>> {
  const receiver = await startReceiver(
    "processors:\n  learn: { samples: 100, span: 0s }\n" +
      `  evaluate: { windows: [5m], ladder: 1, dependence: none, ${promise} }\n`,
  );
  onTestFinished(() => receiver.shutdown());
  const names = Array.from({ length: features }, (_, index) => `ml.feature.f${index}`);
  const spansAt = (atMs: number) =>
    Array.from({ length: 50 }, (_, row) => ({
      atMs,
      attributes: {
        "ml.model.name": "m",
        ...Object.fromEntries(names.map((name) => [name, row + 0.5])),
      },
    }));
  // Learned from the first windows, judged in the later ones.
  for (let window = 0; window < 5; window++) {
    receiver.clock.nowMs = START_MS + (5 * window + 1) * MINUTE_MS;
    await receiver.send(spansAt(receiver.clock.nowMs));
  }
  receiver.clock.nowMs += 10 * MINUTE_MS;
  await receiver.send(spansAt(receiver.clock.nowMs));
  const found = async () => (await receiver.verdicts()) as { alpha: number }[];
  await expect.poll(async () => (await found()).length).toBe(features);
  // Those of the last window: the first signals of the first one did not know of the others.
  await expect.poll(async () => new Set((await found()).map(({ alpha }) => alpha)).size).toBe(1);
  return new Set((await found()).map(({ alpha }) => alpha));
}

it("is shared by all signals, however many there are, and never looser than that of each", async () => {
  const [each] = await levels("falseAlarmsPerFeatureYear: 0.01", 100);
  const [few] = await levels("falseAlarmsPerYear: 1", 3);
  const [many] = await levels("falseAlarmsPerYear: 0.1", 100);
  expect(few).toBe(each);
  // 128 signals have a tenth of an alarm between them: .00078 each, instead of .01.
  expect((many as number) / (each as number)).toBeCloseTo(0.1 / 128 / 0.01, 10);
});
