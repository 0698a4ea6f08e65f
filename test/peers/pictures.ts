/**
 * Makes the pictures of docs/from-alert-to-trace.md from the running programs: a receiver, Jaeger,
 * and Debian's Prometheus, whose build has its web page. `node test/peers/pictures.ts`, with Debian's
 * packages chromium, prometheus (for the scripts of its page) and webp installed.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { closeWindows, seattleReference, sendCity, WINDOW_MS } from "./city-traffic.ts";
import { promValue } from "./peer-api.ts";
import { ROOT, sleep } from "./peer-programs.ts";
import { Stack, startJaeger, startPrometheus, startReceiver } from "./peer-stack.ts";

const PICTURES = join(ROOT, "docs", "pictures");
const stack = new Stack();

try {
  await makeAll();
} finally {
  await stack.end();
}

async function makeAll(): Promise<void> {
  const folder = stack.folder();
  const prometheus = await stack.add(startPrometheus(folder, {}, { hasty: true, build: "debian" }));
  const jaeger = await stack.add(startJaeger(prometheus.url));
  const receiver = await stack.add(startReceiver(jaeger.otlpUrl, configuration(folder)));
  prometheus.setTarget("tidemark", receiver.metricsAddress);
  const first = Math.floor(Date.now() / WINDOW_MS - 6) * WINDOW_MS;
  for (const [at, city] of ["Seattle", "Seattle", "New York", "New York", "New York"].entries()) {
    await sendCity(receiver.otlpUrl, city, first + at * WINDOW_MS);
    await closeWindows(receiver.otlpUrl, first + (at + 1) * WINDOW_MS);
    await sleep(12_000);
  }
  while ((await promValue(prometheus.url, "ml_drift_detected")) === 0) await sleep(1000);
  await sleep(10_000);

  mkdirSync(PICTURES, { recursive: true });
  const graph = (expr: string, tab: string) =>
    `${prometheus.url}/classic/graph?${new URLSearchParams({ "g0.expr": expr, "g0.tab": tab, "g0.range_input": "5m" })}`;
  const firing =
    'sum by (model_name, signal, window, severity) (ALERTS{alertname="MlDriftDetected"})';
  shoot("alerts", graph(firing, "1"), "1280,520");
  shoot("drift", graph('ml_drift_score{method="ks"}', "0"), "1280,900");
  shoot("page", `${receiver.adminUrl}/`, "1280,900");
}

/** One picture of a page, as WebP. */
function shoot(name: string, url: string, size: string): void {
  const png = join(PICTURES, `${name}.png`);
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
  const wait = "--virtual-time-budget=15000";
  const args = [...flags, wait, `--window-size=${size}`, `--screenshot=${png}`, url];
  execFileSync("chromium", args, { stdio: "ignore", timeout: 60_000 });
  execFileSync("cwebp", ["-quiet", "-q", "70", png, "-o", join(PICTURES, `${name}.webp`)]);
  rmSync(png);
}

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
  otlp_http/jaeger: { endpoint: "\${env:JAEGER_OTLP_URL}" }
service:
  storage: { directory: "\${env:TIDEMARK_DATA_DIR}" }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http/jaeger] }
`,
  );
  return file;
}
