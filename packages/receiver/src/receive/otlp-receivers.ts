/** The receivers that the configuration asks for, one per protocol. */
import type {
  GrpcProtocol,
  HttpProtocol,
  OtlpReceiverConfig,
} from "../config/otlp-receiver-schema.js";
import { baseUrl } from "../listen.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { createAuthenticator } from "./authenticator.js";
import { GrpcReceiver } from "./grpc-receiver.js";
import { HttpReceiver } from "./http-receiver.js";
import type { Intake } from "./intake.js";
import { tlsOptions } from "./server-tls.js";

/** The receivers as one stage: they stop at the same time, so that neither takes on the other's. */
export class OtlpReceivers implements Stage {
  private readonly protocols: OtlpReceiverConfig["protocols"];
  private readonly grpc: GrpcReceiver | undefined;
  private readonly http: HttpReceiver | undefined;
  private readonly served: readonly Stage[];

  /** @throws CredentialError when a certificate or a list of users cannot be used */
  constructor(
    { protocols }: OtlpReceiverConfig,
    intake: Intake,
    logger: Logger,
    world: { readonly now: () => number; readonly random: () => number },
  ) {
    const { grpc, http } = protocols;
    this.protocols = protocols;
    if (grpc.enabled) this.grpc = new GrpcReceiver(grpc, intake, logger, world.random);
    if (http.enabled) this.http = new HttpReceiver(http, intake, logger, world.now);
    this.served = [this.grpc, this.http].filter((stage) => stage !== undefined);
  }

  /** Base URLs, once they have started; empty for a protocol that is not served. */
  get urls(): { readonly otlp: string; readonly grpc: string } {
    const { grpc, http } = this.protocols;
    return {
      otlp: this.http ? urlOf(http, this.http.port) : "",
      grpc: this.grpc ? urlOf(grpc, this.grpc.port) : "",
    };
  }

  async start(): Promise<void> {
    for (const stage of this.served) await stage.start();
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.served.map((stage) => stage.shutdown()));
  }

  metrics(): MetricFamily[] {
    return this.served.flatMap((stage) => stage.metrics());
  }
}

/**
 * Reads every certificate and list of users that the configuration names, and uses none of them.
 * @throws CredentialError when one cannot be used
 */
export function checkCredentials({ protocols }: OtlpReceiverConfig): void {
  for (const [name, { enabled, tls, auth }] of Object.entries(protocols)) {
    if (!enabled) continue;
    const key = `receivers.otlp.protocols.${name}`;
    if (tls) tlsOptions(tls, `${key}.tls`);
    createAuthenticator(auth, `${key}.auth`);
  }
}

function urlOf({ endpoint, tls }: HttpProtocol | GrpcProtocol, port: number): string {
  return baseUrl(tls === undefined ? "http" : "https", endpoint.host, port);
}
