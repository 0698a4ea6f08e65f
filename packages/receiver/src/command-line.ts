/** The command line of `tidemark`: reads the arguments, and hands over to one command each. */
import { parseArgs } from "node:util";
import { baselineBuild, baselineMerge, baselineShow } from "./commands/baseline.js";
import { checkConfig, printConfigSchema } from "./commands/check-config.js";
import { CompareOptionError, compare, EXIT } from "./commands/compare.js";
import { receive } from "./commands/receive.js";
import { ReportError, report } from "./commands/report.js";
import { StatusError, status } from "./commands/status.js";
import { ConfigError } from "./config/load-config.js";
import { helpOf } from "./help.js";
import { ListenError } from "./listen.js";
import { PriceTableError } from "./prices.js";
import { CredentialError } from "./receive/credential-files.js";
import { TrainingDataError } from "./references/data-file.js";
import { ReferenceFileError } from "./references/reference-file.js";
import { StateStoreError } from "./state/state-store.js";

/** Wrong arguments: told together with where to find help. */
class UsageError extends Error {}

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  config: { type: "string", short: "c" },
  model: { type: "string" },
  out: { type: "string", short: "o" },
  "model-version": { type: "string" },
  "run-id": { type: "string" },
  columns: { type: "string", multiple: true },
  feature: { type: "string", multiple: true },
  ignore: { type: "string", multiple: true },
  category: { type: "string", multiple: true },
  numeric: { type: "string", multiple: true },
  signal: { type: "string", multiple: true },
  prediction: { type: "string" },
  class: { type: "string" },
  confidence: { type: "string" },
  url: { type: "string" },
  markdown: { type: "boolean" },
  html: { type: "boolean" },
  segment: { type: "string" },
  window: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  shift: { type: "string" },
  every: { type: "string" },
} as const;

/** What says which columns of data files are which signals. */
const COLUMN_OPTIONS = [
  "columns",
  "feature",
  "ignore",
  "category",
  "numeric",
  "signal",
  "prediction",
  "class",
  "confidence",
] as const;

/** What says which verdicts are reported. */
const RANGE_OPTIONS = ["window", "from", "to"] as const;

/** Which options each command takes. */
const COMMANDS: Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>> = {
  receive: ["config"],
  status: ["url", "config", "json"],
  "check-config": [],
  "config-schema": [],
  "baseline build": ["model", "out", "model-version", "run-id", ...COLUMN_OPTIONS],
  "baseline show": ["json"],
  "baseline merge": ["out"],
  compare: ["json", "markdown", "html", "out", "shift", "every", ...COLUMN_OPTIONS],
  report: [...RANGE_OPTIONS, "model", "model-version", "segment", "url", "out", "json", "markdown"],
};

type Values = ReturnType<typeof parse>["values"];

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true });
}

async function main(args: string[]): Promise<void> {
  if (args[0] === "--version") {
    const { version } = (await import("../package.json", { with: { type: "json" } })).default;
    process.stdout.write(`${version}\n`);
    return;
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    // Node goes on about arguments that begin with a dash, which none of ours does.
    throw new UsageError((error as Error).message.replace(/\. To specify .*$/s, ""));
  }
  const { values, positionals } = parsed;
  if (values.help || args[0] === "help" || args.length === 0) {
    process.stdout.write(helpOf(positionals[0] === "help" ? positionals.slice(1) : positionals));
    if (args.length === 0) process.exitCode = 2;
    return;
  }
  const words = positionals[0] === "baseline" ? 2 : 1;
  if (positionals.length < words) throw new UsageError("baseline needs build, show or merge");
  const name = positionals.slice(0, words).join(" ");
  const allowed = COMMANDS[name];
  if (allowed === undefined) throw new UsageError(`there is no command "${name}"`);
  for (const option of Object.keys(values) as (keyof typeof OPTIONS)[]) {
    if (!allowed.includes(option)) throw new UsageError(`${name} takes no --${option}`);
  }
  await run(name, positionals.slice(words), values);
}

async function run(name: string, operands: string[], values: Values): Promise<void> {
  if (["receive", "config-schema", "status"].includes(name)) {
    expectOperands(name, operands, 0, "");
    if (name === "receive") await receive(values.config);
    else if (name === "status") process.exitCode = await status(values);
    else printConfigSchema();
    return;
  }
  if (name.startsWith("baseline ") && name !== "baseline show") {
    await runMaker(name, operands, values);
    return;
  }
  if (name === "compare") {
    await runCompare(operands, values);
    return;
  }
  if (name === "report") {
    await runReport(operands, values);
    return;
  }
  const what = name === "check-config" ? "the configuration file" : "one file";
  expectOperands(name, operands, 1, what);
  const [file = ""] = operands;
  if (name === "check-config") checkConfig(file);
  else baselineShow(file, values.json ?? false);
}

async function runCompare(operands: string[], values: Values): Promise<void> {
  expectOperands("compare", operands, 2, "a reference, and what to compare with it");
  const [reference = "", current = ""] = operands;
  chooseFormat(values);
  process.exitCode = await compare(reference, current, values);
}

async function runReport(operands: string[], values: Values): Promise<void> {
  expectOperands("report", operands, 0, "");
  chooseFormat(values);
  const { model } = values;
  if (!model) throw new UsageError("report needs --model NAME");
  await report({ ...values, model }, process.env["TIDEMARK_TOKEN"]);
}

function chooseFormat({ json, markdown, html }: Values): void {
  const chosen = [json, markdown, html].filter(Boolean).length;
  if (chosen > 1) throw new UsageError("choose one of --json, --markdown and --html");
}

/** The commands that make one reference of one or more files. */
async function runMaker(name: string, operands: string[], values: Values): Promise<void> {
  const { model, out } = values;
  if (name === "baseline merge") {
    if (!out) throw new UsageError("baseline merge needs --out FILE");
    if (operands.length < 2) throw new UsageError("baseline merge needs two files or more");
    baselineMerge(operands, out);
    return;
  }
  if (!model || !out) throw new UsageError("baseline build needs --model NAME and --out FILE");
  if (operands.length === 0) throw new UsageError("baseline build needs a file of data");
  const unnamed = values.signal?.find((entry) => !/.=./.test(entry));
  if (unnamed) throw new UsageError(`--signal ${unnamed}: write COL=SIGNAL`);
  await baselineBuild(operands, { ...values, model, out });
}

function expectOperands(name: string, operands: string[], count: number, what: string): void {
  if (operands.length === count) return;
  const extra = operands.slice(count).join(" ");
  throw new UsageError(
    extra ? `${name} does not know what "${extra}" is` : `${name} needs ${what}`,
  );
}

/** Runs the command; sets the exit code, and never throws. */
export async function runCommandLine(args: string[]): Promise<void> {
  // Whoever reads our output may have seen enough of it, as `head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    await main(args);
  } catch (error) {
    const known =
      error instanceof CompareOptionError ||
      error instanceof ConfigError ||
      error instanceof CredentialError ||
      error instanceof ListenError ||
      error instanceof ReferenceFileError ||
      error instanceof PriceTableError ||
      error instanceof ReportError ||
      error instanceof StateStoreError ||
      error instanceof StatusError ||
      error instanceof TrainingDataError;
    if (error instanceof UsageError) {
      process.stderr.write(`tidemark: ${error.message}; see tidemark --help\n`);
      process.exitCode = 2;
    } else {
      const failed = error as NodeJS.ErrnoException;
      const text = known || failed.syscall ? failed.message : (failed.stack ?? String(error));
      process.stderr.write(`tidemark: ${text}\n`);
      // Whoever runs these in a schedule takes 1 for a drift.
      process.exitCode = args[0] === "compare" || args[0] === "status" ? EXIT.failed : 1;
    }
  }
}
