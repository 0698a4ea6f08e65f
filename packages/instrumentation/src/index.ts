export type { FeatureValue, Feedback, Prediction, StageOptions } from "./api.js";
export { recordFeatures, recordFeedback, recordPrediction, stage } from "./api.js";
export type { InstrumentationConfig, Limits, ModelConfig, StageConfig } from "./config-schema.js";
export { observeGpus } from "./gpu-metrics.js";
export type { LibraryOptions } from "./library-options.js";
export { OnnxruntimeInstrumentation } from "./onnx/onnxruntime-instrumentation.js";
export { TensorflowInstrumentation } from "./tfjs/tensorflow-instrumentation.js";
export { TransformersInstrumentation } from "./transformers/transformers-instrumentation.js";
