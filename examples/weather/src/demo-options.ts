/** The demo's command line and the variables that it reads. */
import { parseArgs } from "node:util";
import type { Ports } from "./ports.js";
import { choosePorts } from "./ports.js";

export const HELP = `The weather demo: a model moves to another city, and Tidemark notices.

  npm run demo -- [options]
  node examples/weather/dist/demo.js [options]

It trains a model on Seattle's weather of 2012 and 2013, serves it with no line of telemetry code,
replays Seattle 2014-15 (nothing may drift) and New York 2012-15 (wind and the lowest temperature
must drift, rain must not), and prints the receiver's verdicts.

  --variant cjs|esm   the service as CommonJS (default) or as ES modules
  --keep              leave everything running at the end, until Ctrl-C
  --json              print one JSON object; what happens meanwhile goes to stderr
  --port-base N       listen on N (predictions), N+1 (features), N+2 (OTLP) and N+3 (metrics,
                      verdicts) in place of 8080, 8081, 4318 and 9464; always on 127.0.0.1
  --help

Variables:
  TIDEMARK_DEMO_FORWARD   forward the traces to this OTLP/HTTP URL, such as Jaeger's
                          http://127.0.0.1:14318
  TIDEMARK_DEMO_METRICS   push the metrics to this OTLP/HTTP URL, such as Prometheus'
                          http://127.0.0.1:9090/api/v1/otlp
  TIDEMARK_DEMO_JAEGER    the page links to the traces on this page of Jaeger, such as
                          http://127.0.0.1:16686

Exit codes: 0 the verdicts are as expected, 1 they are not or something failed, 2 wrong arguments.
`;

/** Wrong arguments; the message says which. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const VARIANTS = ["cjs", "esm"] as const;
/** The module system of the prediction service. */
export type Variant = (typeof VARIANTS)[number];

/** What the demo was asked to do. */
export interface DemoOptions {
  readonly help: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  readonly variant: Variant;
  readonly ports: Ports;
  /** OTLP base URLs to send to, where given. */
  readonly tracesUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  /** Jaeger's page, where given. */
  readonly jaegerUrl: string | undefined;
}

const PORT_BASE_MIN = 1024;
const PORT_BASE_MAX = 65_532;

/**
 * Reads arguments and variables.
 * @throws UsageError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): DemoOptions {
  const values = parse(args);
  const { variant = "cjs" } = values;
  if (!VARIANTS.includes(variant as Variant)) {
    throw new UsageError(`--variant ${variant}: there are ${VARIANTS.join(" and ")}`);
  }
  return {
    help: values.help ?? false,
    json: values.json ?? false,
    keep: values.keep ?? false,
    variant: variant as Variant,
    ports: choosePorts(portBase(values["port-base"])),
    tracesUrl: urlIn(env, "TIDEMARK_DEMO_FORWARD"),
    metricsUrl: urlIn(env, "TIDEMARK_DEMO_METRICS"),
    jaegerUrl: urlIn(env, "TIDEMARK_DEMO_JAEGER"),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        json: { type: "boolean" },
        keep: { type: "boolean" },
        variant: { type: "string" },
        "port-base": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function portBase(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const base = Number(text);
  if (Number.isInteger(base) && base >= PORT_BASE_MIN && base <= PORT_BASE_MAX) return base;
  const range = `${PORT_BASE_MIN} to ${PORT_BASE_MAX}`;
  throw new UsageError(`--port-base ${text}: must be a whole number from ${range}`);
}

function urlIn(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const url = env[variable];
  if (!url) return undefined;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new UsageError(`${variable}=${url}: must be an http or https URL`);
}
