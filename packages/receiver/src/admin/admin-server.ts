/** What people and programs ask the receiver: metrics, health, and the verdicts as JSON. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cors } from "../cors.js";
import { exposeMetrics } from "../export/exposition.js";
import { listen } from "../listen.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { playbook } from "./playbooks.js";

/** An answer: a status, and text, bytes, or an object that is sent as JSON. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string | Uint8Array | object;
  readonly contentType?: string;
}

/** What the pages are made from. */
export interface AdminSources {
  readonly metrics: () => MetricFamily[];
  readonly ready: () => boolean;
  /** Answers `GET /api/v1/<name>`; undefined when there is no such thing. */
  readonly api: (name: string, query: URLSearchParams) => Promise<AdminAnswer | undefined>;
  /** Answers `GET /api/v1/quality-metrics`; `base` is the address under which we were found. */
  readonly quality: (query: URLSearchParams, base: string) => AdminAnswer;
  /** Which web pages may read the answers; undefined for none but our own. */
  readonly cors?: Cors | undefined;
}

const INDEX = `Tidemark receiver
/metrics           metrics for Prometheus
/api/v1/verdicts   the latest verdict of each signal and window (?model=NAME)
/api/v1/changes    how verdicts have changed, the newest first (?model=NAME&signal=NAME&limit=100)
/api/v1/history    what one signal had (?model=NAME&signal=NAME&hours=24)
/api/v1/signals    every signal, with what it is compared with or how far it has learned
/api/v1/drifts     what drifts, what moved beside it, and which segments made it so
/api/v1/quality-metrics  the same for Jaeger's page of that name (?service=NAME&hours=N)
/playbooks         what to do when an alert fires (/playbooks/NAME)
/healthz  /readyz  alive, and ready to receive
`;

/** A small HTTP server beside the OTLP one, on loopback unless configured otherwise. */
export class AdminServer implements Stage {
  readonly host: string;
  private readonly requestedPort: number;
  private readonly sources: AdminSources;
  private readonly logger: Logger;
  private readonly server: Server;

  constructor(host: string, port: number, sources: AdminSources, logger: Logger) {
    this.host = host;
    this.requestedPort = port;
    this.sources = sources;
    this.logger = logger;
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  /** The port it listens on, also when 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await listen(this.server, this.host, this.requestedPort, "exporters.prometheus.endpoint");
  }

  async shutdown(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  metrics(): MetricFamily[] {
    return [];
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: AdminAnswer;
    try {
      answer = await this.answer(request);
    } catch (error) {
      this.logger.error("a page met a defect of the receiver", { error, url: request.url });
      answer = { status: 500, body: { error: "the receiver failed on this; see its log" } };
    }
    const raw = typeof answer.body === "string" || answer.body instanceof Uint8Array;
    const body = raw ? (answer.body as string | Uint8Array) : `${JSON.stringify(answer.body)}\n`;
    const type = answer.contentType ?? (raw ? "text/plain; charset=utf-8" : "application/json");
    this.sources.cors?.allow(request, response);
    response.writeHead(answer.status, {
      "Content-Type": type,
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "no-store",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  private async answer(request: IncomingMessage): Promise<AdminAnswer> {
    const base = "http://localhost";
    if (!URL.canParse(request.url ?? "/", base)) {
      return { status: 400, body: { error: "the request target is no path" } };
    }
    const { pathname, searchParams } = new URL(request.url ?? "/", base);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return { status: 405, body: { error: `${request.method} is not supported; use GET` } };
    }
    if (pathname === "/") return { status: 200, body: INDEX };
    if (pathname === "/metrics") return this.scrape(request);
    if (pathname === "/healthz") return { status: 200, body: "ok\n" };
    if (pathname === "/readyz") {
      return this.sources.ready()
        ? { status: 200, body: "ready\n" }
        : { status: 503, body: "starting\n" };
    }
    if (/^\/playbooks(?:\/|$)/.test(pathname)) return playbook(pathname);
    if (pathname === "/api/v1/quality-metrics") {
      return this.sources.quality(searchParams, `http://${request.headers.host ?? "localhost"}`);
    }
    const prefix = "/api/v1/";
    if (pathname.startsWith(prefix)) {
      const answer = await this.sources.api(pathname.slice(prefix.length), searchParams);
      if (answer) return answer;
    }
    return { status: 404, body: { error: `there is nothing at ${pathname}; see /` } };
  }

  private scrape(request: IncomingMessage): AdminAnswer {
    return { status: 200, ...exposeMetrics(this.sources.metrics(), request.headers.accept ?? "") };
  }
}
