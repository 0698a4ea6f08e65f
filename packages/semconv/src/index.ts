export * from "./attributes.js";
export * from "./concepts.js";
export * from "./dialects.js";
export * from "./metrics.js";
export * from "./stages.js";
