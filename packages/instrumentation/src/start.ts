/** Wires the package together, before the app starts: configuration, hooks, SDK. */
import process from "node:process";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { complain, guarded } from "./complain.js";
import { flushAtExit } from "./exit-flush.js";
import { registeredProvider } from "./host-api.js";
import { loadConfig } from "./load-config.js";
import { ModelVersions } from "./model-versions.js";
import { hookEsModules, patchBuiltins } from "./module-hooks.js";
import { OnnxruntimeInstrumentation } from "./onnx/onnxruntime-instrumentation.js";
import { API_MODULE, OwnSdk } from "./own-sdk.js";
import type { RunningSdk } from "./sdk.js";
import { startSdk } from "./sdk.js";
import { StageModules } from "./stage-modules.js";

/** Variables by which instrumentations are chosen, as in OpenTelemetry's own `register`. */
const ENABLED = "OTEL_NODE_ENABLED_INSTRUMENTATIONS";
const DISABLED = "OTEL_NODE_DISABLED_INSTRUMENTATIONS";

/** Starts everything. Whatever fails is told in one line, and the app runs on without it. */
export function startInstrumentation(): void {
  const { env } = process;
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return;
  const { config, complaints } = loadConfig(env, process.cwd());
  for (const line of complaints) complain(line);
  const versions = new ModelVersions();
  const stages = new StageModules(config);
  hookEsModules([...stages.paths(), API_MODULE]);
  if (isEnabled("onnxruntime", env)) {
    guarded("hooking onnxruntime", () => {
      void new OnnxruntimeInstrumentation({ declared: config, versions });
    });
  }
  guarded("hooking stages", () => stages.hook(versions));
  const onEnd = () => stages.complainAboutUnused();
  if (registeredProvider() === undefined) startOwnSdk(env, onEnd);
  else process.on("beforeExit", onEnd);
}

/** The SDK, and spans between processes; both give way to an SDK that the app sets up itself. */
function startOwnSdk(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  const between = guarded("hooking HTTP", () => httpInstrumentations(env)) ?? [];
  let sdk: RunningSdk | undefined;
  const own = new OwnSdk(() => {
    for (const instrumentation of between) instrumentation.disable();
    void sdk?.shutdown().catch(() => undefined);
  });
  own.watch();
  sdk = guarded("starting the OpenTelemetry SDK", () => own.during(() => startSdk(env)));
  if (sdk !== undefined) flushAtExit(sdk, onEnd);
}

function httpInstrumentations(env: NodeJS.ProcessEnv) {
  const instrumentations = [];
  if (isEnabled("http", env)) {
    instrumentations.push(new HttpInstrumentation());
    patchBuiltins(["http", "https"]);
  }
  if (isEnabled("undici", env)) instrumentations.push(new UndiciInstrumentation());
  return instrumentations;
}

function isEnabled(name: string, env: NodeJS.ProcessEnv): boolean {
  const listed = (variable: string) => {
    const names = env[variable]?.trim();
    return names ? names.split(",").some((entry) => entry.trim() === name) : undefined;
  };
  return (listed(ENABLED) ?? true) && !listed(DISABLED);
}
