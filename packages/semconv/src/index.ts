export * from "./attributes.js";
export * from "./metrics.js";
export * from "./stages.js";
