/** What a session's model is called, and what is declared about it, by the model or the user. */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { complain, guarded, reason } from "../complain.js";
import type { ModelConfig } from "../config-schema.js";
import type { ModelVersions } from "../model-versions.js";
import type { DeclaredModels } from "./declared-models.js";
import type { ModelMetadata } from "./model-metadata.js";
import { readModelBytes, readModelFile } from "./model-metadata.js";

/** Keys of `metadata_props` that are understood, the first one that is present wins. */
const NAME_KEYS = ["model_name", "name"];
const VERSION_KEYS = ["model_version", "version"];
const RUN_ID_KEYS = ["run_id", "mlflow_run_id"];
const FEATURE_NAMES_KEY = "feature_names";
const CLASS_NAMES_KEY = "class_names";
const FALLBACK_NAME = "onnx";
/** A list longer than this is no list of columns that anyone looks at. */
const NAMES_MAX = 4096;
const ORT_FORMAT_MAGIC = "ORTM";

/** Who a model is. */
export interface ModelIdentity {
  readonly name: string;
  readonly version: string | undefined;
  /** The training run, when the model states one. */
  readonly runId: string | undefined;
  /** Names of the input columns as the model states them. */
  readonly featureNames: readonly string[] | undefined;
  /** Names of the classes as the model states them. */
  readonly classNames: readonly string[] | undefined;
  readonly config: ModelConfig | undefined;
}

/**
 * The identity of the model that `InferenceSession.create` was given: a path, or the bytes. Never
 * throws: a model that cannot be read here may be perfectly good for the runtime.
 */
export function identifyModel(
  args: readonly unknown[],
  models: DeclaredModels,
  versions: ModelVersions,
): ModelIdentity {
  const path = modelPath(args[0]);
  const metadata = readMetadata(args, path);
  const name =
    firstOf(metadata, NAME_KEYS) ??
    (path === undefined ? undefined : basename(path).replace(/\.(?:onnx|ort)$/i, "")) ??
    FALLBACK_NAME;
  const config = models.find(name);
  const version = config?.version ?? firstOf(metadata, VERSION_KEYS) ?? graphVersion(metadata);
  if (version !== undefined) versions.learn(name, version);
  return {
    name,
    version,
    runId: firstOf(metadata, RUN_ID_KEYS),
    featureNames: namesIn(metadata?.props.get(FEATURE_NAMES_KEY)),
    classNames: namesIn(metadata?.props.get(CLASS_NAMES_KEY)),
    config,
  };
}

function modelPath(source: unknown): string | undefined {
  if (typeof source !== "string") return undefined;
  if (!source.startsWith("file:")) return source;
  return guarded("reading a model's address", () => fileURLToPath(source)) ?? source;
}

function readMetadata(
  args: readonly unknown[],
  path: string | undefined,
): ModelMetadata | undefined {
  try {
    if (path !== undefined) return readModelFile(path);
    const bytes = modelBytes(args);
    return bytes === undefined || isOrtFormat(bytes) ? undefined : readModelBytes(bytes);
  } catch (error) {
    complain(`${path ?? "a model in memory"}: no metadata can be read: ${reason(error)}`);
    return undefined;
  }
}

/** The forms of `create`: a Uint8Array, or an ArrayBuffer with or without offset and length. */
function modelBytes(args: readonly unknown[]): Uint8Array | undefined {
  const [source, offset, length] = args;
  if (source instanceof Uint8Array) return source;
  if (!(source instanceof ArrayBuffer) && !(source instanceof SharedArrayBuffer)) return undefined;
  const start = typeof offset === "number" ? offset : 0;
  return new Uint8Array(source, start, typeof length === "number" ? length : undefined);
}

/** ONNX Runtime's own format is a flatbuffer with a file identifier; it has no metadata for us. */
function isOrtFormat(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(4, 8)) === ORT_FORMAT_MAGIC;
}

function firstOf(metadata: ModelMetadata | undefined, keys: readonly string[]) {
  for (const key of keys) {
    const value = metadata?.props.get(key)?.trim();
    if (value) return value;
  }
  return undefined;
}

function graphVersion(metadata: ModelMetadata | undefined): string | undefined {
  const version = metadata?.modelVersion ?? 0;
  return version > 0 && Number.isSafeInteger(version) ? String(version) : undefined;
}

/** A JSON array of strings, or a list with commas. */
function namesIn(text: string | undefined): string[] | undefined {
  if (!text?.trim()) return undefined;
  let names: unknown = text.split(",").map((name) => name.trim());
  if (text.trimStart().startsWith("[")) {
    try {
      names = JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  if (!Array.isArray(names) || names.length > NAMES_MAX) return undefined;
  return names.every((name) => typeof name === "string" && name !== "") ? names : undefined;
}
