/** The receivers that the configuration asks for, one per protocol. */
import type {
  GrpcProtocol,
  HttpProtocol,
  OtlpReceiverConfig,
} from "../config/otlp-receiver-schema.js";
import type { Logger } from "../logger.js";
import type { Stage } from "../stage.js";
import { GrpcReceiver } from "./grpc-receiver.js";
import { HttpReceiver } from "./http-receiver.js";
import type { TraceIntake } from "./trace-intake.js";

/** The stages, and where they listen once they have started. */
export interface OtlpReceivers {
  readonly stages: readonly Stage[];
  /** Base URLs; empty for a protocol that is not served. */
  urls(): { readonly otlp: string; readonly grpc: string };
}

/**
 * Makes the receivers, and warns once of what strangers could send to.
 * @throws CredentialError when a certificate or a list of users cannot be used
 */
export function createOtlpReceivers(
  { protocols }: OtlpReceiverConfig,
  intake: TraceIntake,
  logger: Logger,
  world: { readonly now: () => number; readonly random: () => number },
): OtlpReceivers {
  const { grpc, http } = protocols;
  const grpcReceiver = grpc.enabled
    ? new GrpcReceiver(grpc, intake, logger, world.random)
    : undefined;
  const httpReceiver = http.enabled ? new HttpReceiver(http, intake, logger, world.now) : undefined;
  warnOfOpenDoors(protocols, logger);
  return {
    stages: [grpcReceiver, httpReceiver].filter((stage) => stage !== undefined),
    urls: () => ({
      otlp: httpReceiver ? urlOf(http, httpReceiver.port) : "",
      grpc: grpcReceiver ? urlOf(grpc, grpcReceiver.port) : "",
    }),
  };
}

function warnOfOpenDoors(protocols: OtlpReceiverConfig["protocols"], logger: Logger): void {
  const open = Object.entries(protocols)
    .filter(([, { enabled, endpoint, auth, tls }]) => {
      return enabled && !isLoopback(endpoint.host) && auth === undefined && tls === undefined;
    })
    .map(([name, { endpoint }]) => `${name} on ${endpoint.host}:${endpoint.port}`);
  if (open.length === 0) return;
  logger.warn(
    "anybody in the network may send, and may read what is sent; " +
      "set tls and auth of receivers.otlp.protocols, or listen on 127.0.0.1",
    { open: open.join(", ") },
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function urlOf({ endpoint, tls }: HttpProtocol | GrpcProtocol, port: number): string {
  const { host } = endpoint;
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
