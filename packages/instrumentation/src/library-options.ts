/** What every instrumentation of a library may be told by whoever makes it. */
import type { InstrumentationConfig as BaseConfig } from "@opentelemetry/instrumentation";
import type { InstrumentationConfig } from "./config-schema.js";
import type { ModelVersions } from "./model-versions.js";
import type { DeclaredModels } from "./onnx/declared-models.js";

/** All of it may be left out. */
export interface LibraryOptions extends BaseConfig {
  /** What `tidemark.instrumentation.yaml` declares. */
  readonly declared?: InstrumentationConfig;
  /** Where versions of loaded models are noted for the other stages. */
  readonly versions?: ModelVersions;
  /** The declared models, for whoever wants to know which of them were loaded. */
  readonly models?: DeclaredModels;
}
