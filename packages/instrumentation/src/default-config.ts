/** What holds where no configuration file says otherwise. */
import type { InstrumentationConfig } from "./config-schema.js";

/**
 * Bounds of one span. 100 rows of 64 features are 6,400 numbers, about 58 KB of protobuf; the SDK's
 * own bound of 128 attributes a span leaves room for the rest.
 */
export const DEFAULT_LIMITS = { rows: 100, features: 64 } as const;

/** The configuration without a file. */
export const DEFAULT_CONFIG: InstrumentationConfig = {
  stages: [],
  models: [],
  limits: DEFAULT_LIMITS,
  llm: { streamUsage: false, estimateTokens: false },
  errorMessages: false,
};
