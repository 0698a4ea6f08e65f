export type { InstrumentationConfig, Limits, ModelConfig, StageConfig } from "./config-schema.js";
export type { OnnxruntimeOptions } from "./onnx/onnxruntime-instrumentation.js";
export { OnnxruntimeInstrumentation } from "./onnx/onnxruntime-instrumentation.js";
