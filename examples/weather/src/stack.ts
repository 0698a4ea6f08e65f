/** The processes of the demo: two services, instrumented by one flag, and the receiver. */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Variant } from "./demo-options.js";
import { ManagedProcess } from "./managed-process.js";
import type { Ports } from "./ports.js";
import { HOST } from "./ports.js";
import type { Destinations } from "./receiver-config.js";
import { receiverConfig } from "./receiver-config.js";
import type { Artifacts } from "./training.js";
import { MODEL_NAME } from "./training.js";
import { FEATURE_NAMES } from "./weather-data.js";

/** The example's folder, and what is made in it. */
export const EXAMPLE = fileURLToPath(new URL("..", import.meta.url));
export const CACHE = join(EXAMPLE, ".cache");

const TIDEMARK = fileURLToPath(new URL("cli.js", import.meta.resolve("@tidemark/receiver")));
/** Spans wait a second at most, not the SDK's five: the demo's windows are short. */
const EXPORT_DELAY_MS = "1000";
const PROGRAMS: Readonly<Record<Variant, { folder: string; program: string }>> = {
  cjs: { folder: "prediction-service", program: "server.cjs" },
  esm: { folder: "prediction-service-esm", program: "server.mjs" },
};

/** What is needed to start them. */
export interface StackOptions {
  readonly variant: Variant;
  readonly ports: Ports;
  readonly artifacts: Artifacts;
  readonly destinations: Destinations;
}

/** Starts processes one after the other, and ends them all. */
export class Stack {
  readonly predictionUrl: string;
  readonly adminUrl: string;
  private readonly options: StackOptions;
  private readonly processes: ManagedProcess[] = [];
  /** Reference, logs and configuration of this run; ports are exclusive, so the folder is. */
  readonly folder: string;

  constructor(options: StackOptions) {
    this.options = options;
    this.predictionUrl = `http://${HOST}:${options.ports.prediction}`;
    this.adminUrl = `http://${HOST}:${options.ports.admin}`;
    this.folder = join(CACHE, `run-${options.ports.prediction}`);
    mkdirSync(this.folder, { recursive: true });
  }

  private get reference(): string {
    return join(this.folder, "weather.tidemark.json");
  }

  /**
   * Makes the reference of the training data, with the receiver's own command.
   * @throws Error with what the command said
   */
  async buildReference(): Promise<void> {
    const features = FEATURE_NAMES.flatMap((name) => ["--feature", name]);
    const columns = [...features, "--prediction", "prediction"];
    const { trainingCsv } = this.options.artifacts;
    const what = ["baseline", "build", trainingCsv, "--model", MODEL_NAME, ...columns];
    await promisify(execFile)(process.execPath, [TIDEMARK, ...what, "--out", this.reference]);
  }

  /** Starts the feature service and the prediction service; resolves when both answer. */
  async startServices(): Promise<void> {
    const { ports, variant, artifacts } = this.options;
    const featureUrl = `http://${HOST}:${ports.feature}`;
    const { folder, program } = PROGRAMS[variant];
    const feature = this.startService("feature-service", "feature-service", "server.mjs", {
      PORT: String(ports.feature),
    });
    const prediction = this.startService("prediction-service", folder, program, {
      PORT: String(ports.prediction),
      FEATURE_SERVICE_URL: featureUrl,
      WEATHER_MODEL: artifacts.model,
    });
    await feature.ready(`${featureUrl}/healthz`);
    await prediction.ready(`${this.predictionUrl}/healthz`);
  }

  /** Starts the receiver; resolves when it is ready. */
  async startReceiver(windowMs: number): Promise<void> {
    const { ports, destinations } = this.options;
    const base = join(EXAMPLE, "tidemark.yaml");
    const config = receiverConfig(base, join(this.folder, "tidemark.yaml"), destinations);
    // Each run tells its own story: nothing is left of the windows of the last one.
    const data = join(this.folder, "receiver");
    rmSync(data, { recursive: true, force: true });
    const receiver = this.start("receiver", EXAMPLE, [TIDEMARK, "receive", "--config", config], {
      TIDEMARK_DEMO_WINDOW: `${windowMs / 1000}s`,
      TIDEMARK_DEMO_REFERENCE: this.reference,
      TIDEMARK_DEMO_DATA: data,
      TIDEMARK_DEMO_OTLP_PORT: String(ports.otlp),
      TIDEMARK_DEMO_ADMIN_PORT: String(ports.admin),
    });
    await receiver.ready(`${this.adminUrl}/readyz`);
  }

  /** @throws Error with the end of its log when one of them has ended by itself */
  assertRunning(): void {
    for (const process of this.processes) process.assertRunning();
  }

  /** Ends the services first, so that the receiver takes their last spans. */
  async stop(): Promise<void> {
    const receiver = this.processes.find(({ name }) => name === "receiver");
    const services = this.processes.filter((process) => process !== receiver);
    await Promise.all(services.map((service) => service.stop()));
    await receiver?.stop();
  }

  /** Ends them at once, for when there is no time to wait. */
  kill(): void {
    for (const process of this.processes) process.kill();
  }

  private startService(
    name: string,
    folder: string,
    program: string,
    env: Record<string, string>,
  ): ManagedProcess {
    const cwd = join(EXAMPLE, "services", folder);
    return this.start(name, cwd, ["--require", "@tidemark/instrumentation/register", program], {
      OTEL_SERVICE_NAME: name,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${HOST}:${this.options.ports.otlp}`,
      OTEL_BSP_SCHEDULE_DELAY: EXPORT_DELAY_MS,
      ...env,
    });
  }

  private start(
    name: string,
    cwd: string,
    args: readonly string[],
    env: Record<string, string>,
  ): ManagedProcess {
    const logFile = join(this.folder, `${name}.log`);
    const started = new ManagedProcess({ name, cwd, args, env, logFile });
    this.processes.push(started);
    return started;
  }
}
