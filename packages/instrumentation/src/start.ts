/** Wires the package together, before the app starts: configuration, hooks, SDK. */
import process from "node:process";
import { complain, guarded } from "./complain.js";
import { flushAtExit } from "./exit-flush.js";
import type { InstalledStores } from "./feature-stores.js";
import { installedStores } from "./feature-stores.js";
import { loadConfig } from "./find-config.js";
import { registeredProvider } from "./host-api.js";
import { recordHttp } from "./http-spans.js";
import { LlmLibraries } from "./llm-libraries.js";
import { ModelVersions } from "./model-versions.js";
import { hookEsModules, hookModules } from "./module-hooks.js";
import { DeclaredModels } from "./onnx/declared-models.js";
import { OnnxruntimeInstrumentation } from "./onnx/onnxruntime-instrumentation.js";
import { API_MODULE, OwnSdk } from "./own-sdk.js";
import { startProcessMetrics } from "./process-metrics.js";
import type { RunningSdk } from "./sdk.js";
import { startSdk } from "./sdk.js";
import { StageModules } from "./stage-modules.js";
import { TensorflowInstrumentation } from "./tfjs/tensorflow-instrumentation.js";
import { TransformersInstrumentation } from "./transformers/transformers-instrumentation.js";

/** Variables by which instrumentations are chosen, as in OpenTelemetry's own `register`. */
const ENABLED = "OTEL_NODE_ENABLED_INSTRUMENTATIONS";
const DISABLED = "OTEL_NODE_DISABLED_INSTRUMENTATIONS";

/** Libraries of models by the names they are chosen by, and what of them may be an ES module. */
const LIBRARIES = {
  onnxruntime: { Instrumentation: OnnxruntimeInstrumentation, modules: ["onnxruntime-web"] },
  transformers: {
    Instrumentation: TransformersInstrumentation,
    modules: ["@huggingface/transformers"],
  },
  // Its packages are CommonJS on Node, whoever loads them.
  tfjs: { Instrumentation: TensorflowInstrumentation, modules: [] },
} as const;

/** Starts everything. Whatever fails is told in one line, and the app runs on without it. */
export function startInstrumentation(): void {
  const { env } = process;
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return;
  const { config, complaints } = loadConfig(env, process.cwd());
  for (const line of complaints) complain(line);
  const versions = new ModelVersions();
  const models = new DeclaredModels(config.models);
  const stages = new StageModules(config);
  const libraries = Object.entries(LIBRARIES).filter(([name]) => isEnabled(name, env));
  const esModules = libraries.flatMap(([, { modules }]) => modules);
  const foreign = registeredProvider() !== undefined;
  // Databases are left to an SDK of the app's own, as HTTP is.
  const stores = installedStores((name) => !foreign && isEnabled(name, env));
  const llm = new LlmLibraries(config, (name) => isEnabled(name, env));
  const hooked = [...stages.paths(), ...llm.modules(), API_MODULE];
  hookEsModules([...hooked, ...esModules, ...stores.modules]);
  for (const [name, { Instrumentation }] of libraries) {
    guarded(`hooking ${name}`, () => {
      void new Instrumentation({ declared: config, versions, models });
    });
  }
  const onEnd = () => {
    guarded("checking the declarations", () => {
      stages.complainAboutUnused();
      models.complainAboutUnused();
      llm.complainAboutUnused();
    });
  };
  const own = foreign ? undefined : startOwnSdk(env, stores, onEnd);
  if (own === undefined) process.on("beforeExit", onEnd);
  guarded("hooking modules", () => {
    hookModules(hooked, (module, exports, folder) => {
      if (module === API_MODULE) own?.watchCopy(exports);
      return stages.patch(module, llm.patch(module, exports, folder), versions);
    });
  });
}

/** The SDK, and spans between processes; both give way to an SDK that the app sets up itself. */
function startOwnSdk(env: NodeJS.ProcessEnv, stores: InstalledStores, onEnd: () => void): OwnSdk {
  const silence = guarded("hooking HTTP", () => recordHttp((name) => isEnabled(name, env)));
  let silenceStores: (() => void) | undefined;
  let sdk: RunningSdk | undefined;
  const own = new OwnSdk(() => {
    silence?.();
    silenceStores?.();
    void sdk?.shutdown().catch(() => undefined);
  });
  own.watch();
  sdk = guarded("starting the OpenTelemetry SDK", () =>
    own.during(() => startSdk(env, (api) => own.watchCopy(api))),
  );
  // They are CommonJS, with a copy of the API of their own, which looks for what is registered.
  silenceStores = stores.start();
  if (sdk === undefined) process.on("beforeExit", onEnd);
  else flushAtExit(sdk, onEnd);
  if (sdk?.metrics === true) startProcessMetrics((name) => isEnabled(name, env));
  return own;
}

function isEnabled(name: string, env: NodeJS.ProcessEnv): boolean {
  const listed = (variable: string) => {
    const names = env[variable]?.trim();
    return names ? names.split(",").some((entry) => entry.trim() === name) : undefined;
  };
  return (listed(ENABLED) ?? true) && !listed(DISABLED);
}
