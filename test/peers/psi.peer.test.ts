/** PSI from buckets alone, by collector-config/prometheus/psi.yml, is the receiver's own. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { closeWindows, seattleReference, sendCity, WINDOW_MS } from "./city-traffic.ts";
import { promSeries, promValue } from "./peer-api.ts";
import type { Prometheus } from "./peer-stack.ts";
import { CONFIG, Stack, startPrometheus, startReceiver } from "./peer-stack.ts";

const WAIT = { timeout: 60_000, interval: 500 };
/** `increase` extrapolates: a tenth more of each count here, of which the 1/2 added to each is less. */
const TOLERANCE = 0.01;

const stack = new Stack();
let prometheus: Prometheus;

beforeAll(async () => {
  const folder = stack.folder();
  const rules = join(folder, "psi.yml");
  const asShipped = readFileSync(join(CONFIG, "prometheus", "psi.yml"), "utf8");
  writeFileSync(rules, asShipped.replace("interval: 1m", "interval: 1s"));
  prometheus = await stack.add(startPrometheus(stack.folder(), {}, { hasty: true, rules }));
  const receiver = await stack.add(startReceiver("http://127.0.0.1:9", configuration(folder)));
  prometheus.setTarget("tidemark", receiver.metricsAddress);
  const firstMs = Math.floor(Date.now() / WINDOW_MS - 3) * WINDOW_MS;
  const days = await sendCity(receiver.otlpUrl, "Seattle", firstMs);
  // An increase begins at what has been seen.
  await vi.waitFor(async () => {
    const seen = 'ml_feature_value_count{feature_name="wind"}';
    expect(await promValue(prometheus.url, seen)).toBe(days);
  }, WAIT);
  await sendCity(receiver.otlpUrl, "New York", firstMs + WINDOW_MS);
  await closeWindows(receiver.otlpUrl, firstMs + 2 * WINDOW_MS);
});
afterAll(() => stack.end());

describe("PSI in PromQL", () => {
  it.each([
    { feature: "wind", atLeast: 1 },
    { feature: "temp_min", atLeast: 0.5 },
    // More than half of its rows are 0: there are fewer than ten cells, and they are not alike.
    { feature: "precipitation", atLeast: 0.02 },
  ])("of $feature is what the receiver says of the window", async ({ feature, atLeast }) => {
    const own = `ml_drift_score{signal="feature.${feature}",method="psi",window="5m"}`;
    const inPromql = `feature:ml_feature_value:psi1h{feature_name="${feature}"}`;
    await vi.waitFor(async () => {
      const [told] = await promSeries(prometheus.url, own);
      const [computed] = await promSeries(prometheus.url, inPromql);
      const psi = Number(told?.["value"]);
      expect(psi).toBeGreaterThan(atLeast);
      expect(Math.abs(Number(computed?.["value"]) - psi)).toBeLessThan(TOLERANCE);
    }, WAIT);
  });
});

/** A receiver with Seattle's reference. */
function configuration(folder: string): string {
  const file = join(folder, "tidemark.yaml");
  writeFileSync(
    file,
    `
receivers:
  otlp:
    protocols:
      grpc: { enabled: false }
      http: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_HTTP_PORT}" }
processors:
  observe: { allowedLateness: 0s, idleTimeout: 1h }
  references: [{ file: ${seattleReference(folder)} }]
  evaluate: { windows: [5m], ladder: 1, dependence: none }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
service:
  storage: { directory: "\${env:TIDEMARK_DATA_DIR}" }
`,
  );
  return file;
}
