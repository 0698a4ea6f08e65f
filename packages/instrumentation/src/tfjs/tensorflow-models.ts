/** What is known of TensorFlow.js models, and what their tensors say. */
import { basename, dirname } from "node:path";
import type { Attributes } from "@opentelemetry/api";
import type { Limits, ModelConfig } from "../config-schema.js";
import type { ModelVersions } from "../model-versions.js";
import { observeCall } from "../observe-call.js";
import type { DeclaredModels } from "../onnx/declared-models.js";
import type { ModelIdentity } from "../onnx/model-identity.js";
import { SessionRecorder } from "../onnx/session-recorder.js";
import type { CallDescription } from "../recorded-call.js";
import { tensorMap } from "./tensorflow-tensors.js";

const FRAMEWORK = "tensorflow.js";
const FALLBACK_NAME = "tensorflow";
/** What model files are called when their folder says which model they are. */
const GENERIC_FILE = /^(?:model|tfjs_model|weights)(?:\.json)?$/i;

/** What layers models and graph models have in common, as far as it is read. */
interface TensorflowModel {
  readonly name?: unknown;
  readonly inputs?: readonly { name?: unknown; shape?: unknown; dtype?: unknown }[];
  readonly outputs?: readonly { name?: unknown }[];
}

type Loader = (this: unknown, ...args: unknown[]) => unknown;

/** Models by the object that they are. */
export class TensorflowModels {
  private readonly names = new WeakMap<object, string>();
  private readonly recorders = new WeakMap<object, SessionRecorder>();
  private readonly declared: DeclaredModels;
  private readonly versions: ModelVersions;
  private readonly limits: Limits;

  constructor(declared: DeclaredModels, versions: ModelVersions, limits: Limits) {
    this.declared = declared;
    this.versions = versions;
    this.limits = limits;
  }

  /** A stand-in for a loader that notes where a model came from. */
  remember(load: Loader): Loader {
    const { names } = this;
    return function (this: unknown, ...args) {
      return observeCall(() => load.apply(this, args), {
        failed: () => undefined,
        succeeded(model) {
          const name = nameOf(args[0]);
          if (typeof model === "object" && model !== null && name) names.set(model, name);
        },
      });
    };
  }

  /** The span of one prediction. */
  describe(model: object, input: unknown): CallDescription {
    const recorder = this.recorderOf(model);
    const { inputs, outputs } = model as TensorflowModel;
    const attributes: Attributes = { ...recorder.modelAttributes() };
    const feeds = Object.fromEntries(tensorMap(input, namesOf(inputs)));
    const batch = recorder.inputs(feeds, attributes);
    return {
      stage: "inference",
      model: recorder.identity.name,
      attributes,
      result: (result) => {
        const tensors = Object.fromEntries(tensorMap(result, namesOf(outputs)));
        return recorder.outputs(tensors, batch);
      },
    };
  }

  private recorderOf(model: object): SessionRecorder {
    const known = this.recorders.get(model);
    if (known) return known;
    const { name: own, inputs = [], outputs } = model as TensorflowModel;
    const name = this.names.get(model) ?? (typeof own === "string" && own ? own : FALLBACK_NAME);
    const signature = {
      inputs: inputs.map((input, index) => ({
        name: inputName(input.name, index),
        ...(Array.isArray(input.shape) && { shape: shapeFor(input.shape) }),
      })),
      outputs: namesOf(outputs),
    };
    const identity = this.identify(name);
    const recorder = new SessionRecorder(identity, signature, this.limits, FRAMEWORK);
    this.recorders.set(model, recorder);
    return recorder;
  }

  private identify(name: string): ModelIdentity {
    const config: ModelConfig | undefined = this.declared.find(name);
    const version = config?.version;
    if (version !== undefined) this.versions.learn(name, version);
    const nothing = { runId: undefined, featureNames: undefined, classNames: undefined };
    return { name, version, config, ...nothing };
  }
}

/** The model's file or address without its ending; its folder, if the file is just `model.json`. */
function nameOf(source: unknown): string | undefined {
  if (typeof source !== "string") return undefined;
  const [path = ""] = source.replace(/^[a-z]+:\/\//i, "").split(/[?#]/, 1);
  const file = basename(path);
  const name = GENERIC_FILE.test(file) ? basename(dirname(path)) : file.replace(/\.json$/i, "");
  return name && name !== "." ? name : undefined;
}

function namesOf(nodes: TensorflowModel["inputs"]): string[] {
  return (nodes ?? []).map(({ name }, index) => inputName(name, index));
}

/** TensorFlow names the output of a node `name:0`. */
function inputName(name: unknown, index: number): string {
  return typeof name === "string" && name ? name.replace(/:0$/, "") : `tensor_${index}`;
}

/** Open dimensions are null or -1; the recorder knows them by names. */
function shapeFor(shape: readonly unknown[]): (number | string)[] {
  return shape.map((size) => (typeof size === "number" && size >= 0 ? size : "N"));
}
