/** `npm run demo`: see HELP in demo-options.ts. The whole story is told from top to bottom here. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DemoOptions } from "./demo-options.js";
import { HELP, readOptions, UsageError } from "./demo-options.js";
import { Narrator } from "./narrator.js";
import { takenPorts } from "./ports.js";
import { meanAbsoluteError, replay, spread } from "./replay.js";
import { CACHE, EXAMPLE, Stack } from "./stack.js";
import { ensureArtifacts, MODEL_NAME } from "./training.js";
import type { TumblingWindow } from "./tumbling-window.js";
import { chooseWindowMs, phaseStartMs, windowAt } from "./tumbling-window.js";
import { verdictTable } from "./verdict-table.js";
import type { Expectation, Verdict } from "./verdicts.js";
import { complaints, verdictsOf } from "./verdicts.js";
import type { WeatherDay } from "./weather-data.js";
import { daysOf, readWeather } from "./weather-data.js";

const DATA = join(EXAMPLE, "data/weather.csv");
/** Enough for the compiler to warm up and for a rate to be measured on the second half. */
const WARM_UP_REQUESTS = 64;

/** Days that are replayed within one window, and what the verdicts on them must be. */
interface Phase {
  readonly title: string;
  readonly days: readonly WeatherDay[];
  readonly expected: Expectation;
}

/** What a phase brought. */
interface PhaseResult {
  readonly title: string;
  readonly requests: number;
  readonly durationMs: number;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly meanAbsoluteError: number;
  readonly verdicts: readonly Verdict[];
  readonly complaints: readonly string[];
}

/** What `--json` prints. */
interface DemoResult {
  readonly asExpected: boolean;
  readonly complaints: readonly string[];
  readonly variant: string;
  readonly requestsPerSecond: number;
  readonly windowMs: number;
  readonly phases: readonly PhaseResult[];
}

function phasesOf(days: readonly WeatherDay[]): readonly [Phase, Phase] {
  const seattle = daysOf(days, "Seattle", 2014, 2015);
  const newYork = daysOf(days, "New York", 2012, 2015);
  return [
    {
      title: "Seattle 2014-15",
      days: seattle,
      expected: {
        count: seattle.length,
        drifted: [],
        notDrifted: [
          "feature.precipitation",
          "feature.wind",
          "feature.temp_min",
          "feature.season",
          "prediction.value",
        ],
      },
    },
    {
      title: "New York 2012-15",
      days: newYork,
      expected: {
        count: newYork.length,
        drifted: ["feature.wind", "feature.temp_min"],
        notDrifted: ["feature.precipitation", "feature.season"],
      },
    },
  ];
}

async function runDemo(options: DemoOptions, stack: Stack, tell: Narrator): Promise<DemoResult> {
  const phases = phasesOf(readWeather(DATA));
  tell.say("Two services start, each with --require @tidemark/instrumentation/register …");
  await stack.startServices();
  const warmUp = await warmUpServices(stack, phases[0], tell);
  const windowMs = chooseWindowMs((phases[1].days.length / warmUp.requestsPerSecond) * 1000);
  tell.say(`The receiver starts, with windows of ${windowMs / 1000} s …`);
  await stack.startReceiver(windowMs);

  const results: PhaseResult[] = [];
  let busyUntilMs = warmUp.endMs;
  for (const phase of phases) {
    const expectedMs = (phase.days.length / warmUp.requestsPerSecond) * 1000;
    const startMs = phaseStartMs(Date.now(), windowMs, busyUntilMs, expectedMs);
    await waitFor(startMs, "the next window", tell);
    const result = await runPhase(phase, windowMs, stack, tell);
    results.push(result);
    busyUntilMs = result.windowStartMs + result.durationMs;
    tellPhase(result, tell);
  }
  const wrong = results.flatMap((result) => result.complaints);
  return {
    asExpected: wrong.length === 0,
    complaints: wrong,
    variant: options.variant,
    requestsPerSecond: Math.round(warmUp.requestsPerSecond),
    windowMs,
    phases: results,
  };
}

/** Requests before there is a receiver: the app must not mind, and its speed is measured. */
async function warmUpServices(stack: Stack, phase: Phase, tell: Narrator) {
  const days = spread(phase.days, WARM_UP_REQUESTS);
  await replay(stack.predictionUrl, days.slice(0, WARM_UP_REQUESTS / 2));
  const { startMs, endMs } = await replay(stack.predictionUrl, days.slice(WARM_UP_REQUESTS / 2));
  const requestsPerSecond = (WARM_UP_REQUESTS / 2 / Math.max(1, endMs - startMs)) * 1000;
  tell.say(
    `No receiver yet, and the app does not mind: ${WARM_UP_REQUESTS} requests answered, ` +
      `${Math.round(requestsPerSecond)} a second.`,
  );
  return { endMs, requestsPerSecond };
}

async function runPhase(
  { title, days, expected }: Phase,
  windowMs: number,
  stack: Stack,
  tell: Narrator,
): Promise<PhaseResult> {
  const progress = tell.progress(title, days.length);
  const { startMs, endMs, predictions } = await replay(stack.predictionUrl, days, progress);
  const window = windowAt(startMs, windowMs);
  assertFits(title, window, endMs);
  tell.say(`  the window ends in ${Math.ceil((window.endMs - Date.now()) / 1000)} s …`);
  const verdicts = await verdictsOf(stack.adminUrl, MODEL_NAME, window, () =>
    stack.assertRunning(),
  );
  return {
    title,
    requests: days.length,
    durationMs: endMs - startMs,
    windowStartMs: window.startMs,
    windowEndMs: window.endMs,
    meanAbsoluteError: meanAbsoluteError(days, predictions),
    verdicts,
    complaints: complaints(title, verdicts, expected),
  };
}

function assertFits(title: string, window: TumblingWindow, endMs: number): void {
  if (endMs < window.endMs) return;
  const seconds = (window.endMs - window.startMs) / 1000;
  throw new Error(
    `${title} did not fit into a window of ${seconds} s: the machine is slower than it was at ` +
      "the start, and part of a year would be compared with whole years; please run it again",
  );
}

function tellPhase({ title, requests, ...result }: PhaseResult, tell: Narrator): void {
  const error = result.meanAbsoluteError.toFixed(1);
  tell.say();
  tell.say(`${title}: ${requests} days, predictions off by ${error} °C on average`);
  for (const line of verdictTable(result.verdicts)) tell.say(`  ${line}`);
  tell.say();
}

async function waitFor(atMs: number, what: string, tell: Narrator): Promise<void> {
  const waitMs = atMs - Date.now();
  if (waitMs <= 0) return;
  if (waitMs > 1000) tell.say(`Waiting ${Math.ceil(waitMs / 1000)} s for ${what} …`);
  await sleep(waitMs);
}

function tellEnd(result: DemoResult, options: DemoOptions, stack: Stack, tell: Narrator): void {
  for (const complaint of result.complaints) tell.say(`NOT as expected: ${complaint}`);
  if (result.asExpected) {
    tell.say("As expected: nothing drifted at home; wind and temp_min drifted in New York.");
  }
  tell.say(options.keep ? "Still running, until Ctrl-C:" : "Served while it ran:");
  tell.say(`  ${stack.adminUrl}                   the page: open it in a browser`);
  tell.say(`  ${stack.adminUrl}/api/v1/verdicts   the verdicts`);
  tell.say(`  ${stack.adminUrl}/metrics           the same for Prometheus`);
  if (options.keep) {
    const question = `'{"location":"Seattle","date":"2014-03-01"}'`;
    tell.say(`  curl ${stack.predictionUrl}/predict -d ${question}`);
    return;
  }
  tell.say("To leave it running:  npm run demo -- --keep");
  tell.say("With the whole stack: docker compose up --build --wait");
  tell.say("  http://127.0.0.1:3000    Grafana, the dashboards");
  tell.say("  http://127.0.0.1:16686   Jaeger, the traces");
  tell.say("  http://127.0.0.1:9090    Prometheus; Alertmanager is on port 9093");
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  assertNode();
  const tell = new Narrator(options.json ? process.stderr : process.stdout);
  const taken = await takenPorts(options.ports);
  if (taken.length > 0) {
    const ports = taken.join(", ");
    throw new Error(`something else listens on ${ports}; choose other ports with --port-base`);
  }
  const artifacts = ensureArtifacts(DATA, CACHE, () =>
    tell.say("Training the model on Seattle 2012-13 …"),
  );
  const { variant, ports } = options;
  const stack = new Stack({ variant, ports, artifacts, destinations: options });
  await stack.buildReference();
  const interrupted = endWith(stack);
  try {
    const result = await Promise.race([runDemo(options, stack, tell), interrupted]);
    tellEnd(result, options, stack, tell);
    if (options.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    process.exitCode = result.asExpected ? 0 : 1;
    if (options.keep) await interrupted.catch(() => {});
  } catch (error) {
    // A process that has ended explains the error better than the request that it left unanswered.
    stack.assertRunning();
    throw new Error(`${(error as Error).message}\n  logs: ${stack.folder}`, { cause: error });
  } finally {
    await stack.stop();
  }
}

/** An older Node would run the services, but not instrument them. */
function assertNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return;
  throw new Error(`needs Node 22.15 or newer, not ${process.version}; npm run demo brings its own`);
}

/** Rejects when somebody asks the demo to end; whatever happens, no process is left behind. */
async function endWith(stack: Stack): Promise<never> {
  process.once("exit", () => stack.kill());
  await new Promise<void>((resolve) => {
    // Not once: Ctrl-C may come twice, from the terminal and through npm.
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve());
  });
  throw new Error("interrupted");
}

try {
  await main();
  process.exit();
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`demo: ${(error as Error).message}${usage ? "; see --help" : ""}\n`);
  process.exit(usage ? 2 : 1);
}
