// One command: a model (aimock), the receiver, the service under the flag, and three phases of
// questions: some to learn from, some like them, some about something else. `npm run example:rag`.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  freePorts,
  install,
  keepRunning,
  Processes,
  printTable,
  scrape,
} from "../running/processes.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
await install(folder);
const { LLMock } = await import("@copilotkit/aimock");
const { aboutDinner, aboutDocuments } = await import("./questions.mjs");

const DOCUMENTS = 160;
const LEARNED = 110;
const PHASE = 40;
const WINDOW_MS = 10_000;
const SIGNAL = "retrieval.score";

const run = join(folder, ".cache/run");
rmSync(run, { recursive: true, force: true });
const processes = new Processes(run);
const [otlpPort, adminPort, servicePort] = await freePorts(3);
const admin = `http://127.0.0.1:${adminPort}`;
const mock = new LLMock({ port: 0, host: "127.0.0.1" });
mock.onMessage(/./, {
  content: "The documents say how: follow the steps in the order in which they are given.",
  usage: { prompt_tokens: 1800, completion_tokens: 16 },
});
await mock.start();
const receiver = processes.receiver(join(folder, "tidemark.yaml"), {
  TIDEMARK_OTLP_PORT: String(otlpPort),
  TIDEMARK_ADMIN_PORT: String(adminPort),
  TIDEMARK_DATA: join(run, "receiver"),
});
await processes.ready(receiver, `${admin}/readyz`);
console.log(`embedding ${DOCUMENTS} documents …`);
const service = processes.service("rag", join(folder, "server.mjs"), {
  endpoint: `http://127.0.0.1:${otlpPort}`,
  env: { PORT: String(servicePort), MODELS_URL: mock.url, DOCUMENTS: String(DOCUMENTS) },
});
await processes.ready(service, `http://127.0.0.1:${servicePort}/healthz`);

const asked = aboutDocuments(DOCUMENTS);
const other = aboutDinner();
console.log(`${LEARNED} questions about the documents, to learn from …`);
await askAll(pick(asked, LEARNED, 0));
const control = await phase("questions like them", pick(asked, PHASE, LEARNED));
const moved = await phase("questions about dinner", pick(other, PHASE, 0));
const points = await scrape(`${admin}/metrics`);
await processes.stop(service);

console.log("\nSimilarity of what was found, against what was learned:\n");
printTable([
  ["phase", "state", "distance", "values"],
  ["like them", control.state, control.statistic.toFixed(3), String(control.liveCount)],
  ["dinner", moved.state, moved.statistic.toFixed(3), String(moved.liveCount)],
]);
console.log(`\n${moved.sentence}`);
const costs = points.filter(({ name }) => name === "gen_ai_usage_cost_total");
console.log(`cost so far: US$ ${costs.reduce((sum, { value }) => sum + value, 0).toFixed(4)}`);
console.log(JSON.stringify({ example: "rag", control: control.state, moved: moved.state }));
process.exitCode = moved.state === "drifted" && control.state !== "drifted" ? 0 : 1;
await keepRunning(admin);
await processes.stop(receiver);
await mock.stop();

/** Asks within one window, and waits for the verdict on it. */
async function phase(what, questions) {
  await sleep(WINDOW_MS - (Date.now() % WINDOW_MS) + 200);
  const startMs = Date.now() - (Date.now() % WINDOW_MS);
  console.log(`${questions.length} ${what} …`);
  await askAll(questions);
  for (const deadline = Date.now() + 4 * WINDOW_MS; Date.now() < deadline; await sleep(300)) {
    const { verdicts } = await (await fetch(`${admin}/api/v1/verdicts`)).json();
    const found = verdicts.find(
      ({ signal, windowStartMs }) => signal === SIGNAL && windowStartMs === startMs,
    );
    if (found) return found;
  }
  throw new Error(`there is no verdict on ${SIGNAL}; see ${receiver.logFile}`);
}

async function askAll(questions) {
  for (const question of questions) {
    const body = JSON.stringify({ question });
    const response = await fetch(`http://127.0.0.1:${servicePort}/ask`, { method: "POST", body });
    await response.text();
    if (!response.ok) throw new Error(`ask: ${response.status}; see ${service.logFile}`);
  }
}

function pick(from, count, start) {
  return Array.from({ length: count }, (_, index) => from[(start + index) % from.length]);
}
