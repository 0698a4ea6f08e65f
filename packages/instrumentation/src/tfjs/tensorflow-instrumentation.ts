/**
 * Spans for TensorFlow.js: layers models and graph models. `predict` returns a tensor whose values
 * may still be on their way; they are never asked for, since that would wait for the device: what
 * is recorded of them is what the CPU's memory already holds.
 */
import type { InstrumentationModuleDefinition } from "@opentelemetry/instrumentation";
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
} from "@opentelemetry/instrumentation";
import { guarded } from "../complain.js";
import { DEFAULT_CONFIG } from "../default-config.js";
import type { LibraryOptions } from "../library-options.js";
import { ModelVersions } from "../model-versions.js";
import { DeclaredModels } from "../onnx/declared-models.js";
import { isWithinInference, recordCall } from "../recorded-call.js";
import { TensorflowModels } from "./tensorflow-models.js";

const SCOPE = "@tidemark/instrumentation/tfjs";
const VERSIONS = [">=3.0.0 <5"];
/** Where the classes are; `@tensorflow/tfjs` and `@tensorflow/tfjs-node` pass them on. */
const MODULES = {
  "@tensorflow/tfjs-layers": {
    LayersModel: ["predict", "predictOnBatch"],
    Sequential: ["predict", "predictOnBatch"],
  },
  "@tensorflow/tfjs-converter": {
    GraphModel: ["predict", "predictAsync", "execute", "executeAsync"],
  },
} as const;
/** Functions that make models out of what they are given, which says the model's name. */
const LOADERS = ["loadLayersModel", "loadGraphModel", "loadGraphModelSync"];

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string, unknown>;

/** One span for every prediction of a model. */
export class TensorflowInstrumentation extends InstrumentationBase<LibraryOptions> {
  constructor(options: LibraryOptions = {}) {
    super(SCOPE, "0.0.0", options);
  }

  // The base constructor calls this before the fields of a subclass exist: it uses none.
  protected override init(): InstrumentationModuleDefinition[] {
    const names = Object.keys(MODULES) as (keyof typeof MODULES)[];
    // Both packages see the same models, and a name is learnt once.
    let models: TensorflowModels | undefined;
    return names.map((name) => {
      const undo: (() => void)[] = [];
      const patch = (exports: Methods) => {
        guarded(`instrumenting ${name}`, () => {
          models ??= this.models();
          patchModule(exports, MODULES[name], models, undo);
        });
        return exports;
      };
      const unpatch = () => {
        for (const restore of undo.splice(0)) guarded(`restoring ${name}`, restore);
      };
      return new InstrumentationNodeModuleDefinition(name, VERSIONS, patch, unpatch);
    });
  }

  private models(): TensorflowModels {
    const options = this.getConfig();
    const settings = options.declared ?? DEFAULT_CONFIG;
    const versions = options.versions ?? new ModelVersions();
    const declared = options.models ?? new DeclaredModels(settings.models);
    return new TensorflowModels(declared, versions, settings.limits);
  }
}

function patchModule(
  exports: Methods,
  classes: Readonly<Record<string, readonly string[]>>,
  models: TensorflowModels,
  undo: (() => void)[],
): void {
  const wrap = (target: Methods, name: string, wrapped: (original: Method) => Method) => {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const original: unknown = own?.value ?? own?.get?.call(target);
    if (typeof original !== "function") return;
    const value = wrapped(original as Method);
    Object.defineProperty(target, name, { configurable: true, writable: true, value });
    undo.push(() => Object.defineProperty(target, name, own as PropertyDescriptor));
  };
  for (const [className, methods] of Object.entries(classes)) {
    const { prototype } = (exports[className] ?? {}) as { prototype?: Methods };
    for (const method of prototype ? methods : []) {
      wrap(prototype as Methods, method, (original) => recordPredict(original, models));
    }
  }
  for (const loader of LOADERS) {
    const own = Object.getOwnPropertyDescriptor(exports, loader);
    if (own?.configurable || own?.writable) {
      wrap(exports, loader, (original) => models.remember(original));
    }
  }
}

/** `predict` of a class may call that of another, or `execute`: the outermost call is the span. */
function recordPredict(predict: Method, models: TensorflowModels): Method {
  return function (this: unknown, ...args) {
    const model = this as object;
    return recordCall(
      (outer) => (isWithinInference(outer) ? undefined : models.describe(model, args[0])),
      () => predict.apply(this, args),
    );
  };
}
