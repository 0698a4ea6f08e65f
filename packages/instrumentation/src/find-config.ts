/** Whether there is a configuration file; only then is what reads and checks it loaded. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { DEFAULT_CONFIG } from "./default-config.js";
import type { LoadedConfig } from "./load-config.js";

/** The file that is looked for in the working directory. */
export const CONFIG_FILE = "tidemark.instrumentation.yaml";
/** The environment variable that names another one. */
export const CONFIG_VARIABLE = "TIDEMARK_INSTRUMENTATION_CONFIG";

const require = createRequire(import.meta.url);

/** The configuration of a process; without a file it is the default. */
export function loadConfig(env: NodeJS.ProcessEnv, cwd: string): LoadedConfig {
  const named = env[CONFIG_VARIABLE];
  const file = resolve(cwd, named || CONFIG_FILE);
  if (!named && !existsSync(file)) return { config: DEFAULT_CONFIG, complaints: [] };
  const { readConfig } = require("./load-config.js") as typeof import("./load-config.js");
  return readConfig(file);
}
