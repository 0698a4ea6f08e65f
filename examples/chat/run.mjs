// One command: models (aimock), the receiver, the chat under the flag, a day of chats, and what
// Tidemark says of them beside a sheet that was worked out by hand. `npm run example:chat`.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  freePorts,
  install,
  keepRunning,
  Processes,
  printTable,
  scrapeUntil,
} from "../running/processes.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
await install(folder);
const { startModels } = await import("./models.mjs");
const { dayOfChats, sheetOf, thumbsOf } = await import("./sheet.mjs");
const { sendFeedback } = await import("./feedback.mjs");

const AT_ONCE = 4;
const RESULTS = "gen_ai_evaluation_results_total";
const run = join(folder, ".cache/run");
rmSync(run, { recursive: true, force: true });
const processes = new Processes(run);
const [otlpPort, adminPort, chatPort] = await freePorts(3);
const models = await startModels();
const receiver = processes.receiver(join(folder, "tidemark.yaml"), {
  TIDEMARK_OTLP_PORT: String(otlpPort),
  TIDEMARK_ADMIN_PORT: String(adminPort),
  TIDEMARK_DATA: join(run, "receiver"),
});
await processes.ready(receiver, `http://127.0.0.1:${adminPort}/readyz`);
const chat = processes.service("chat", join(folder, "server.mjs"), {
  endpoint: `http://127.0.0.1:${otlpPort}`,
  env: { PORT: String(chatPort), MODELS_URL: models.url },
});
await processes.ready(chat, `http://127.0.0.1:${chatPort}/healthz`);

const chats = dayOfChats();
console.log(`${chats.length} chats, ${AT_ONCE} at a time …`);
const waiting = [...chats];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const body = JSON.stringify(next);
      const response = await fetch(`http://127.0.0.1:${chatPort}/chat`, { method: "POST", body });
      await response.text();
      if (!response.ok) throw new Error(`chat: ${response.status}; see ${chat.logFile}`);
    }
  }),
);
await processes.stop(chat);

// As late as it comes in life: the answers have been counted by now.
const thumbs = thumbsOf(chats);
await sendFeedback(`http://127.0.0.1:${otlpPort}`, thumbs);

const sheet = sheetOf(chats);
const expected = Object.values(sheet).reduce((sum, { input }) => sum + input, 0);
const points = await scrapeUntil(`http://127.0.0.1:${adminPort}/metrics`, (found) => {
  const read = found.filter(
    ({ name, labels }) => name === "gen_ai_usage_tokens_total" && labels.token_type === "input",
  );
  const said = found.filter(({ name }) => name === RESULTS);
  return sumOf(read) >= expected && sumOf(said) >= thumbs.length;
});

const rows = Object.entries(sheet).map(([tenant, { input, output, dollars }]) => {
  const sum = (name, more = {}) =>
    points
      .filter((point) => point.name === name && point.labels.tenant === tenant)
      .filter(({ labels }) => Object.entries(more).every(([key, value]) => labels[key] === value))
      .reduce((total, { value }) => total + value, 0);
  const told = {
    input: sum("gen_ai_usage_tokens_total", { token_type: "input" }),
    output: sum("gen_ai_usage_tokens_total", { token_type: "output" }),
    dollars: sum("gen_ai_usage_cost_total", { currency: "USD" }),
  };
  const equal =
    told.input === input && told.output === output && Math.abs(told.dollars - dollars) < 1e-9;
  return { tenant, told, dollars, equal };
});
console.log("What the receiver says, and what the sheet says:\n");
printTable([
  ["tenant", "read", "written", "US$", "sheet's US$", ""],
  ...rows.map(({ tenant, told, dollars, equal }) => [
    tenant,
    String(told.input),
    String(told.output),
    told.dollars.toFixed(6),
    dollars.toFixed(6),
    equal ? "equal" : "DIFFERENT",
  ]),
]);
const times = (name) => {
  const of = (suffix) =>
    points
      .filter((point) => point.name === name + suffix)
      .reduce((sum, { value }) => sum + value, 0);
  return `${((1000 * of("_sum")) / of("_count")).toFixed(1)} ms over ${of("_count")} calls`;
};
console.log(`
time to first token, mean:  ${times("gen_ai_client_operation_time_to_first_chunk_seconds")}
time between tokens, mean:  ${times("gen_ai_client_operation_time_per_output_chunk_seconds")}`);

const answering = [...new Set(chats.map(({ model }) => model))];
const opinions = answering.map((model) => {
  const counts = ["up", "down"].map((label) => {
    const of = ({ name, labels }) =>
      name === RESULTS && labels.model_name === model && labels.evaluation_label === label;
    const told = sumOf(points.filter(of));
    const given = thumbs.filter((one) => one.model === model && one.label === label).length;
    return { told, given };
  });
  return { model, counts, equal: counts.every(({ told, given }) => told === given) };
});
console.log("\nWhat people said of the answers, joined to the calls by the id of the chat:\n");
printTable([
  ["model", "up", "down", ""],
  ...opinions.map(({ model, counts, equal }) => [
    model,
    ...counts.map(({ told }) => String(told)),
    equal ? "equal" : "DIFFERENT",
  ]),
]);
const isEqual = [...rows, ...opinions].every(({ equal }) => equal);
console.log(JSON.stringify({ example: "chat", chats: chats.length, equal: isEqual }));
process.exitCode = isEqual ? 0 : 1;
await keepRunning(`http://127.0.0.1:${adminPort}`);
await processes.stop(receiver);
await models.stop();

function sumOf(found) {
  return found.reduce((sum, { value }) => sum + value, 0);
}
