import { defaultConfig, loadConfig } from "../config/load-config.js";
import { formatDuration } from "../config/quantities.js";
import type { Config } from "../config/schema.js";
import { collectOften } from "../garbage-collection.js";
import { Logger } from "../logger.js";
import { createReceiver } from "../main.js";

/**
 * Runs the receiver until it is told to stop (SIGINT or SIGTERM).
 * @throws ConfigError, CredentialError, PriceTableError or ReferenceFileError when it cannot start
 */
export async function receive(file: string | undefined): Promise<void> {
  collectOften();
  const load = () =>
    file === undefined ? defaultConfig(process.env) : loadConfig(file, process.env);
  const config = load();
  const logger = createLogger(config);
  for (const warning of config.warnings) logger.warn(warning, {});
  const source = file === undefined ? undefined : { file, load };
  const receiver = createReceiver(config, logger, undefined, source);
  const stop = (signal: string) => {
    logger.info("stopping", { signal });
    void receiver.shutdown().then(() => process.exit(0));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  process.on("SIGHUP", () => receiver.reload());
  await receiver.start();
  const { windows } = config.processors.evaluate;
  logger.info("receiving", {
    otlp: receiver.urls.otlp,
    grpc: receiver.urls.grpc,
    admin: receiver.urls.admin,
    windows: windows.map(formatDuration).join(","),
    references: config.processors.references.length,
  });
}

function createLogger(config: Config): Logger {
  const { level, encoding } = config.service.telemetry.logs;
  const plain = encoding === "console" || (encoding === "auto" && process.stderr.isTTY);
  return new Logger(level, plain, (line) => process.stderr.write(line));
}
