/** A drift in spans becomes an alert in the real Alertmanager, by the real Prometheus and our rules. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { sendSpans } from "./otlp-spans.ts";
import { getJson } from "./peer-api.ts";
import {
  Stack,
  startAlertmanager,
  startPrometheus,
  startReceiver,
  TIDEMARK,
} from "./peer-stack.ts";

const stack = new Stack();
afterAll(() => stack.end());

const WINDOW_MS = 300_000;
const COUNT = 2000;

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe("A drift", () => {
  // The rules are evaluated every 15 s and want the verdict for a minute.
  it("is told by Alertmanager with its numbers, and the steady feature beside it is not", async () => {
    const folder = stack.folder();
    const receiver = await stack.add(startReceiver("http://127.0.0.1:9", configuration(folder)));
    const alertmanager = await stack.add(startAlertmanager(stack.folder()));
    await stack.add(
      startPrometheus(stack.folder(), {
        tidemark: receiver.metricsAddress,
        alertmanager: new URL(alertmanager.url).host,
      }),
    );

    // The last whole window, and one span after it that closes it.
    const fromMs = Math.floor(Date.now() / WINDOW_MS - 1) * WINDOW_MS;
    const inWindow = (index: number) => fromMs + 20 + Math.floor((index / COUNT) * 299_000);
    const shifted = (index: number) => prediction(index, uniform(index) + 1);
    await sendSpans(receiver.otlpUrl, "prediction-service", COUNT, shifted, inWindow);
    await sendSpans(receiver.otlpUrl, "prediction-service", 1, prediction(0, 0));

    await vi.waitFor(
      async () => {
        const alerts = await getJson<Alert[]>(`${alertmanager.url}/api/v2/alerts`);
        const drifts = alerts.filter(({ labels }) => labels["alertname"] === "MlDriftDetected");
        expect(drifts.map(({ labels }) => labels["signal"])).toEqual(["feature.wind"]);
        const [drift] = drifts;
        expect(drift?.labels).toMatchObject({ model_name: "weather", window: "5m" });
        expect(drift?.annotations["description"]).toMatch(
          /^feature\.wind of weather 2 differs from .* over the last 5m: .*\d \(threshold 0\.\d+\);/,
        );
      },
      { timeout: 150_000, interval: 1000 },
    );
  }, 200_000);
});

/** A low-discrepancy sequence: evenly spread over [0, 1), and no chance in the test. */
function uniform(index: number): number {
  return (index * 0.618_033_988_749_895) % 1;
}

function prediction(index: number, wind: number) {
  return {
    "ml.stage": "inference",
    "ml.model.name": "weather",
    "ml.model.version": "2",
    "ml.feature.wind": wind,
    "ml.feature.temperature": uniform(index * 7),
  };
}

/** A receiver's configuration with a reference of evenly spread wind and temperature. */
function configuration(folder: string): string {
  const rows = Array.from(
    { length: 5000 },
    (_, index) => `${uniform(index)},${uniform(index * 7)}`,
  );
  writeFileSync(join(folder, "training.csv"), ["wind,temperature", ...rows].join("\n"));
  const reference = join(folder, "weather.tidemark.json");
  const build = ["baseline", "build", join(folder, "training.csv"), "--model", "weather"];
  execFileSync(process.execPath, [TIDEMARK, ...build, "--out", reference]);
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
  observe: { allowedLateness: 0s }
  references: [{ file: ${reference} }]
  evaluate: { windows: [5m], dependence: none }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [] }
    metrics: { exporters: [prometheus] }
`,
  );
  return file;
}
