export * from "./attributes.js";
export * from "./concepts.js";
export * from "./dialects.js";
export * from "./gen-ai.js";
export * from "./metrics.js";
export * from "./price-table.js";
export * from "./prices.js";
export * from "./stages.js";
