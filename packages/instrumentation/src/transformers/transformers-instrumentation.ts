/* oxlint-disable no-underscore-dangle -- the library and the base class name their methods so */
/**
 * Spans for `@huggingface/transformers`: a pipeline's call is the prediction, its tokenizer or
 * processor preprocessing, its model inference, and what remains postprocessing. Only methods of
 * classes are replaced, which works alike for CommonJS and ES modules.
 */
import type { Attributes, Context } from "@opentelemetry/api";
import { createContextKey } from "@opentelemetry/api";
import type { InstrumentationModuleDefinition } from "@opentelemetry/instrumentation";
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
} from "@opentelemetry/instrumentation";
import { ATTRIBUTES } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import { DEFAULT_CONFIG } from "../default-config.js";
import type { LibraryOptions } from "../library-options.js";
import { ModelVersions } from "../model-versions.js";
import { DeclaredModels } from "../onnx/declared-models.js";
import { isWithinInference, recordCall, spanOf, withinLibrary } from "../recorded-call.js";
import { asTensor, shapeOf } from "../tensor-rows.js";
import { logitsAttributes } from "./classifier-logits.js";
import { GenerationWatch } from "./generation.js";
import type { PipelineObject, TransformersModel } from "./loaded-models.js";
import { LoadedModels } from "./loaded-models.js";
import { batchSizeOf, resultAttributes, taskOf } from "./pipeline-results.js";

const MODULE = "@huggingface/transformers";
const VERSIONS = [">=3.0.0 <5"];
const SCOPE = "@tidemark/instrumentation/transformers";

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Prototype = Record<string, Method>;
type Exports = Readonly<Record<string, unknown>>;

/** The pipeline's call that is under way: what its parts belong to. */
interface PipelineCall {
  readonly model: string;
  /** When the last model's call ended; the rest of the call is postprocessing. */
  modelEndedMs: number | undefined;
}

const PIPELINE = createContextKey("tidemark.pipeline");
/** Set within a tokenizer's or a processor's call, which may call others. */
const WITHIN_PREPROCESSING = createContextKey("tidemark.within-preprocessing");

/** Spans for every pipeline, and for tokenizers, processors and models that are used alone. */
export class TransformersInstrumentation extends InstrumentationBase<LibraryOptions> {
  constructor(options: LibraryOptions = {}) {
    super(SCOPE, "0.0.0", options);
  }

  // The base constructor calls this before the fields of a subclass exist: it uses none.
  protected override init(): InstrumentationModuleDefinition[] {
    const undo: (() => void)[] = [];
    const patch = (exports: Exports) => {
      guarded(`instrumenting ${MODULE}`, () => this.patch(exports, undo));
      return exports;
    };
    const unpatch = () => {
      for (const restore of undo.splice(0)) guarded(`restoring ${MODULE}`, restore);
    };
    return [new InstrumentationNodeModuleDefinition(MODULE, VERSIONS, patch, unpatch)];
  }

  private patch(exports: Exports, undo: (() => void)[]): void {
    const options = this.getConfig();
    const settings = options.declared ?? DEFAULT_CONFIG;
    const versions = options.versions ?? new ModelVersions();
    const declared = options.models ?? new DeclaredModels(settings.models);
    const loaded = new LoadedModels(declared, versions);
    const wrap = (target: object, name: string, wrapped: (original: Method) => Method) => {
      const methods = target as Prototype;
      const original = Object.getOwnPropertyDescriptor(methods, name)?.value as Method | undefined;
      if (typeof original !== "function") return;
      methods[name] = wrapped(original);
      undo.push(() => {
        methods[name] = original;
      });
    };
    const model = exports["PreTrainedModel"];
    if (isClass(model)) wrap(model, "from_pretrained", (load) => loaded.remember(load));
    for (const [kind, prototype] of prototypes(exports)) {
      if (kind === "pipeline") {
        wrap(prototype, "_call", (call) => recordPipeline(call, loaded, settings.limits.rows));
      } else if (kind === "model") {
        wrap(prototype, "_call", (call) => recordModel(call, loaded));
        wrap(prototype, "generate", (generate) => recordGeneration(generate, loaded));
      } else {
        wrap(prototype, "_call", recordPreprocessing);
      }
    }
  }
}

const BASES = {
  model: ["PreTrainedModel"],
  preprocessing: ["PreTrainedTokenizer", "Processor", "ImageProcessor", "FeatureExtractor"],
} as const;

/** The prototypes of exported classes with calls of their own, by what they are; each one once. */
function prototypes(exports: Exports): [string, object][] {
  const bases = Object.entries(BASES).flatMap(([kind, names]) =>
    names.flatMap((name) => {
      const base = exports[name];
      return isClass(base) ? [[kind, base.prototype] as const] : [];
    }),
  );
  const found = new Map<object, string>();
  for (const [name, exported] of Object.entries(exports)) {
    if (!isClass(exported)) continue;
    const { prototype } = exported;
    const base = bases.find(
      ([, root]) => prototype === root || Object.prototype.isPrototypeOf.call(root, prototype),
    );
    const kind = base?.[0] ?? (/.Pipeline$/.test(name) ? "pipeline" : undefined);
    if (kind !== undefined) found.set(prototype, kind);
  }
  return [...found].map(([prototype, kind]) => [kind, prototype]);
}

function isClass(value: unknown): value is { readonly prototype: object } {
  const { prototype } = (typeof value === "function" ? value : {}) as { prototype?: unknown };
  return typeof prototype === "object" && prototype !== null;
}

function pipelineIn(context: Context): PipelineCall | undefined {
  return context.getValue(PIPELINE) as PipelineCall | undefined;
}

function recordPipeline(call: Method, loaded: LoadedModels, rowsMax: number): Method {
  return function (this: unknown, ...args) {
    const pipeline = this as PipelineObject;
    const run = () => call.apply(this, args);
    return recordCall((outer) => {
      if (pipelineIn(outer) !== undefined || isWithinInference(outer)) return undefined;
      const { name, attributes } = loaded.identify(pipeline.model);
      const state: PipelineCall = { model: name, modelEndedMs: undefined };
      const task = taskOf(pipeline.task);
      return {
        stage: "prediction",
        model: name,
        attributes: {
          ...(task !== undefined && { [ATTRIBUTES.task.name]: task }),
          ...attributes,
          [ATTRIBUTES.batchSize.name]: batchSizeOf(args[0]),
        },
        within: (context) => withinLibrary(context).setValue(PIPELINE, state),
        result(result, inner) {
          recordRemainder(state, inner, attributes);
          return resultAttributes(pipeline.task, args[0], result, rowsMax);
        },
      };
    }, run);
  };
}

/** From the end of the model's last call until now. */
function recordRemainder(state: PipelineCall, context: Context, attributes: Attributes): void {
  const { model, modelEndedMs } = state;
  if (modelEndedMs === undefined) return;
  const description = { model, attributes, startTimeMs: modelEndedMs } as const;
  spanOf({ stage: "postprocessing", ...description }, context)?.end();
}

function recordPreprocessing(call: Method): Method {
  return function (this: unknown, ...args) {
    return recordCall(
      (outer) => {
        if (outer.getValue(WITHIN_PREPROCESSING) === true || isWithinInference(outer)) {
          return undefined;
        }
        return {
          stage: "preprocessing",
          model: pipelineIn(outer)?.model,
          attributes: { [ATTRIBUTES.batchSize.name]: batchSizeOf(args[0]) },
          within: (context) => context.setValue(WITHIN_PREPROCESSING, true),
        };
      },
      () => call.apply(this, args),
    );
  };
}

function recordModel(call: Method, loaded: LoadedModels): Method {
  return function (this: unknown, ...args) {
    const model = this as TransformersModel;
    return recordCall(
      (outer) => {
        if (isWithinInference(outer)) return undefined;
        const pipeline = pipelineIn(outer);
        const { name, attributes } = loaded.identify(model);
        return {
          stage: "inference",
          model: name,
          attributes: { ...attributes, ...inputAttributes(args[0]) },
          // In a pipeline the prediction is what the pipeline makes of it.
          ...(pipeline === undefined && {
            result: (result: unknown) => logitsAttributes(model, result),
          }),
          over: () => noteEnd(pipeline),
        };
      },
      () => call.apply(this, args),
    );
  };
}

function recordGeneration(generate: Method, loaded: LoadedModels): Method {
  return function (this: unknown, ...args) {
    const model = this as TransformersModel;
    let given: readonly unknown[] = args;
    return recordCall(
      (outer) => {
        if (isWithinInference(outer)) return undefined;
        const pipeline = pipelineIn(outer);
        const { name, attributes } = loaded.identify(model);
        const watch = new GenerationWatch();
        given = guarded("watching a streamer", () => watch.watch(args)) ?? args;
        const encoderDecoder = model.config?.is_encoder_decoder === true;
        return {
          stage: "inference",
          model: name,
          attributes: { ...attributes, ...inputAttributes(args[0]) },
          result: (result) => watch.attributes(args[0], result, encoderDecoder),
          over: () => noteEnd(pipeline),
        };
      },
      () => generate.apply(this, [...given]),
    );
  };
}

function noteEnd(pipeline: PipelineCall | undefined): void {
  if (pipeline) pipeline.modelEndedMs = performance.now();
}

/** The shapes of a model's inputs, and the rows of the first one. */
function inputAttributes(inputs: unknown): Attributes {
  const attributes: Attributes = {};
  if (typeof inputs !== "object" || inputs === null) return attributes;
  let room = 8;
  for (const [name, value] of Object.entries(inputs)) {
    const tensor = asTensor(value);
    if (tensor === undefined || room-- <= 0) continue;
    attributes[ATTRIBUTES.inputShape.name + name] = shapeOf(tensor);
    attributes[ATTRIBUTES.batchSize.name] ??= tensor.dims[0] ?? 1;
  }
  return attributes;
}
