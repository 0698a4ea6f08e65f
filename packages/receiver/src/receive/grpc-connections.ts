/**
 * The HTTP/2 connections of the gRPC server, each within bounds of time: its greeting, its age, how
 * long it is idle, and how long a peer may be silent.
 * https://github.com/grpc/proposal/blob/master/A9-server-side-conn-mgt.md
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** Bounds in ms; for idle time and age 0 means none. */
export interface ConnectionBounds {
  /** Until the client's first SETTINGS. */
  readonly greetingMs: number;
  readonly idleMs: number;
  readonly ageMs: number;
  /** How long streams may take to finish once the connection is to end. */
  readonly graceMs: number;
  readonly pingEveryMs: number;
  readonly pingTimeoutMs: number;
}

/** Ages differ by a tenth, so that connections made together do not come again together. */
const AGE_SPREAD = 0.1;

/** All connections of a server. */
export class GrpcConnections {
  private readonly bounds: ConnectionBounds;
  private readonly random: () => number;
  private readonly open = new Set<GrpcConnection>();

  /** @param random a number in [0, 1) */
  constructor(bounds: ConnectionBounds, random: () => number) {
    this.bounds = bounds;
    this.random = random;
  }

  /** @param socket what the session runs on; the session itself would wait for its peer to end */
  add(session: ServerHttp2Session, socket: Socket): void {
    const ageMs = this.bounds.ageMs * (1 - AGE_SPREAD + 2 * AGE_SPREAD * this.random());
    const connection = new GrpcConnection(session, socket, { ...this.bounds, ageMs });
    this.open.add(connection);
    session.once("close", () => {
      connection.forget();
      this.open.delete(connection);
    });
  }

  /** Tells all clients to go, and ends each connection when its streams have finished. */
  retire(): void {
    for (const connection of this.open) connection.retire();
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const connection of this.open) connection.destroy();
  }
}

class GrpcConnection {
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly bounds: ConnectionBounds;
  private readonly timers = new Map<"greeting" | "idle" | "age" | "grace", NodeJS.Timeout>();
  private readonly pings: NodeJS.Timeout;
  private streams = 0;

  constructor(session: ServerHttp2Session, socket: Socket, bounds: ConnectionBounds) {
    this.session = session;
    this.socket = socket;
    this.bounds = bounds;
    this.after("greeting", bounds.greetingMs, () => this.destroy());
    session.once("remoteSettings", () => this.stop("greeting"));
    session.once("goaway", () => this.retire());
    session.on("stream", (stream) => this.count(stream));
    this.awaitStream();
    if (bounds.ageMs > 0) this.after("age", bounds.ageMs, () => this.retire());
    this.pings = setInterval(() => this.ping(), bounds.pingEveryMs).unref();
  }

  /** GOAWAY, and the end when the streams have finished or their time is up. */
  retire(): void {
    if (this.timers.has("grace")) return;
    this.session.close();
    this.after("grace", this.bounds.graceMs, () => this.destroy());
  }

  destroy(): void {
    this.session.destroy();
    this.socket.destroy();
  }

  forget(): void {
    clearInterval(this.pings);
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private count(stream: ServerHttp2Stream): void {
    this.streams++;
    this.stop("idle");
    stream.once("close", () => {
      this.streams--;
      if (this.streams === 0) this.awaitStream();
    });
  }

  private awaitStream(): void {
    if (this.bounds.idleMs > 0 && !this.session.closed)
      this.after("idle", this.bounds.idleMs, () => this.retire());
  }

  private ping(): void {
    if (this.session.destroyed) return;
    const silent = setTimeout(() => this.destroy(), this.bounds.pingTimeoutMs).unref();
    this.session.ping(() => clearTimeout(silent));
  }

  private after(name: "greeting" | "idle" | "age" | "grace", ms: number, act: () => void): void {
    this.stop(name);
    this.timers.set(name, setTimeout(act, ms).unref());
  }

  private stop(name: "greeting" | "idle" | "age" | "grace"): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}
