export type { FeatureValue, Feedback, Prediction, StageOptions } from "./manual.js";
export { recordFeatures, recordFeedback, recordPrediction, stage } from "./manual.js";
