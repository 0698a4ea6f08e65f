/**
 * Takes up a changed configuration, or a changed file that it names, while the receiver runs: when
 * it is told to, or when the files have changed and then stayed as they are for one look. Looking
 * at them also sees a file that was replaced, and the swapped links of a mounted volume. What
 * cannot be used changes nothing but a log line and a metric.
 */
import { statSync } from "node:fs";
import { METRICS } from "@tidemark/semconv";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { keysForRestart } from "./live-keys.js";
import type { Config } from "./schema.js";

const OUTCOMES = ["success", "failed"] as const;

/** What the stage works with. */
export interface ReloadParts {
  /** The configuration file. */
  readonly file: string;
  /** Reads it again. @throws when it cannot be used */
  readonly load: () => Config;
  /** Takes up its live keys, all of them or none. @throws when a file that it names is no use */
  readonly apply: (config: Config) => void;
}

/** What is in force. */
export interface ConfigStatus {
  /** Empty when the defaults are. */
  readonly file: string;
  /** When the configuration in force was taken up. */
  readonly loadedMs: number;
  /** Why a later one was not; undefined when there is none. */
  readonly error: string | undefined;
  /** Keys whose changes need a restart. */
  readonly restartFor: readonly string[];
}

/** The stage that reloads; without a file there is nothing to reload. */
export class ConfigReload implements Stage {
  private readonly parts: ReloadParts | undefined;
  private readonly logger: Logger;
  private readonly now: () => number;
  /** What the stages were built from: what needs a restart is still as it says. */
  private readonly started: Config;
  private readonly reloads = new CounterSet(OUTCOMES.map((outcome) => ({ outcome })));
  private config: Config;
  private loadedMs: number;
  private error: string | undefined;
  private restartFor: readonly string[] = [];
  private loaded: string;
  private seen: string;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    config: Config,
    parts: ReloadParts | undefined,
    logger: Logger,
    now: () => number = Date.now,
  ) {
    this.parts = parts;
    this.logger = logger;
    this.now = now;
    this.started = config;
    this.config = config;
    this.loadedMs = now();
    this.loaded = this.fingerprint();
    this.seen = this.loaded;
  }

  /** What is in force. */
  get status(): ConfigStatus {
    const { loadedMs, error, restartFor } = this;
    return { file: this.parts?.file ?? "", loadedMs, error, restartFor };
  }

  async start(): Promise<void> {
    const intervalMs = this.started.service.reloadInterval;
    if (this.parts === undefined || intervalMs === 0) return;
    this.timer = setInterval(() => this.look(), intervalMs);
    this.timer.unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.timer);
  }

  /** Reads everything again, whether it has changed or not. */
  reload(): void {
    const { parts, logger } = this;
    if (parts === undefined) {
      logger.info("there is no configuration file to read again", {});
      return;
    }
    // Taken before it is read: whatever changes from now on is read again.
    this.loaded = this.fingerprint();
    try {
      const config = parts.load();
      parts.apply(config);
      this.takeUp(config);
    } catch (error) {
      this.error = (error as Error).message;
      this.reloads.add({ outcome: "failed" });
      const message = "the changed configuration cannot be used; the one before stays in force";
      logger.error(message, { file: parts.file, error: this.error });
    }
    // The new configuration may name other files.
    this.loaded = this.fingerprint();
    this.seen = this.loaded;
  }

  metrics(): MetricFamily[] {
    const valid = this.error === undefined ? 1 : 0;
    return [
      { definition: METRICS.configReloads, points: this.reloads.snapshot() },
      { definition: METRICS.configValid, points: [{ labels: {}, value: valid }] },
    ];
  }

  private takeUp(config: Config): void {
    this.config = config;
    this.loadedMs = this.now();
    this.error = undefined;
    this.restartFor = keysForRestart(this.started, config);
    this.reloads.add({ outcome: "success" });
    const { file } = this.parts as ReloadParts;
    for (const warning of config.warnings) this.logger.warn(warning, {});
    this.logger.info("took up the configuration and the references that it names", { file });
    if (this.restartFor.length === 0) return;
    this.logger.warn("some changes of the configuration need a restart", {
      file,
      keys: this.restartFor.join(", "),
    });
  }

  private look(): void {
    const now = this.fingerprint();
    const isSettled = now === this.seen;
    this.seen = now;
    if (isSettled && now !== this.loaded) this.reload();
  }

  /** Changes with every file that the configuration is made of. */
  private fingerprint(): string {
    const { file } = this.parts ?? {};
    const named = this.config.processors.references.map((reference) => reference.file);
    const files = [file, ...named].filter((name) => name !== undefined);
    return files.map(stampOf).join("\n");
  }
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${file} ${mtimeMs} ${size} ${ino}`;
  } catch {
    return `${file} gone`;
  }
}
