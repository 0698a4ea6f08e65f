/** Which models transformers.js has loaded: it keeps the name that it was given nowhere. */
import { basename, isAbsolute } from "node:path";
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { ModelVersions } from "../model-versions.js";
import { observeCall } from "../observe-call.js";
import type { DeclaredModels } from "../onnx/declared-models.js";

const FRAMEWORK = "transformers.js";
const FALLBACK_NAME = "transformers";
const DEFAULT_REVISION = "main";

/** What is read of a model. */
export interface TransformersModel {
  readonly config?: {
    readonly _name_or_path?: unknown;
    readonly model_type?: unknown;
    readonly id2label?: unknown;
    readonly problem_type?: unknown;
    readonly is_encoder_decoder?: unknown;
  };
}

/** What is read of a pipeline. */
export interface PipelineObject {
  readonly task?: unknown;
  readonly model?: unknown;
}

/** A model as its spans state it. */
export interface LoadedModel {
  readonly name: string;
  readonly attributes: Attributes;
}

type Loader = (this: unknown, ...args: unknown[]) => unknown;

/** Remembers models by what `from_pretrained` was given. */
export class LoadedModels {
  private readonly known = new WeakMap<object, LoadedModel>();
  private readonly declared: DeclaredModels;
  private readonly versions: ModelVersions;

  constructor(declared: DeclaredModels, versions: ModelVersions) {
    this.declared = declared;
    this.versions = versions;
  }

  /** A stand-in for `from_pretrained` that notes what it returns. */
  remember(load: Loader): Loader {
    const { known } = this;
    const describe = (args: readonly unknown[]) => this.describe(args);
    return function (this: unknown, ...args) {
      return observeCall(() => load.apply(this, args), {
        failed: () => undefined,
        succeeded(model) {
          if (isObject(model)) known.set(model, describe(args));
        },
      });
    };
  }

  /** What is known of a model; one that was not loaded by name goes by what its config says. */
  identify(model: unknown): LoadedModel {
    if (!isObject(model)) return this.named(FALLBACK_NAME, undefined);
    const found = this.known.get(model);
    if (found) return found;
    const { config } = model as TransformersModel;
    const says = config?.["_name_or_path"] || config?.model_type;
    const made = this.named(typeof says === "string" ? says : FALLBACK_NAME, undefined);
    this.known.set(model, made);
    return made;
  }

  private describe([id, options]: readonly unknown[]): LoadedModel {
    const { revision } = (isObject(options) ? options : {}) as { revision?: unknown };
    const pinned = typeof revision === "string" && revision !== DEFAULT_REVISION;
    return this.named(typeof id === "string" ? id : FALLBACK_NAME, pinned ? revision : undefined);
  }

  private named(id: string, revision: string | undefined): LoadedModel {
    const name = nameOf(id);
    const config = this.declared.find(name);
    const version = config?.version ?? revision;
    if (version !== undefined) this.versions.learn(name, version);
    return {
      name,
      attributes: {
        [ATTRIBUTES.modelFramework.name]: FRAMEWORK,
        ...(version !== undefined && { [ATTRIBUTES.modelVersion.name]: version }),
        ...(config?.task !== undefined && { [ATTRIBUTES.task.name]: config.task }),
      },
    };
  }
}

/** A hub's name as it is; of a path its last part, since the rest is this machine's business. */
function nameOf(id: string): string {
  return isAbsolute(id) || /^\.{1,2}[/\\]/.test(id) ? basename(id) || FALLBACK_NAME : id;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
