/** What both servers have in common: where they listen, who may come in, and how they end. */
import type { AddressInfo, Server } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { GrpcProtocol, HttpProtocol } from "../config/otlp-receiver-schema.js";
import { listen } from "../listen.js";
import type { Logger } from "../logger.js";
import type { Authenticator } from "./authenticator.js";
import { createAuthenticator } from "./authenticator.js";
import { reloadTls } from "./server-tls.js";

/** What is under way when the receiver stops may take so long. */
const DRAIN_MS = 5_000;

/** The door of one server. */
export class ServerDoor {
  /** Undefined where anybody may send. */
  readonly authenticator: Authenticator | undefined;
  private readonly config: HttpProtocol | GrpcProtocol;
  private readonly key: string;
  private readonly server: Server;
  private readonly logger: Logger;
  private readonly watches: (() => void)[] = [];
  private closing: Promise<void> | undefined;

  /**
   * @param key where the configuration names the server, for complaints
   * @throws CredentialError when a list of users cannot be used
   */
  constructor(config: HttpProtocol | GrpcProtocol, key: string, server: Server, logger: Logger) {
    this.config = config;
    this.key = key;
    this.server = server;
    this.logger = logger;
    this.authenticator = createAuthenticator(config.auth, `${key}.auth`);
    server.maxConnections = config.max_connections;
  }

  /** The port it listens on, also when 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** No more is let in. */
  get isClosing(): boolean {
    return this.closing !== undefined;
  }

  /** @throws ListenError when the address cannot be used */
  async open(): Promise<void> {
    const { authenticator, config, key, logger, server } = this;
    const { endpoint, tls } = config;
    await listen(server, endpoint.host, endpoint.port, `${key}.endpoint`);
    if (authenticator) this.watches.push(authenticator.watch(logger));
    if (tls) this.watches.push(reloadTls(server as TlsServer, tls, `${key}.tls`, logger));
  }

  /**
   * Resolves when the last connection has ended.
   * @param retire asks the connections to end with what is under way
   * @param destroy ends them, when that has taken too long
   */
  close(retire: () => void, destroy: () => void): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      for (const end of this.watches) end();
      this.server.close(() => resolve());
      retire();
      setTimeout(destroy, DRAIN_MS).unref();
    });
    return this.closing;
  }
}
