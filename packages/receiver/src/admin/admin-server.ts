/** What people and programs ask the receiver: the page, metrics, health, and the API as JSON. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import type { Cors } from "../cors.js";
import { exposeMetrics } from "../export/exposition.js";
import { listen } from "../listen.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Authenticator } from "../receive/authenticator.js";
import type { Stage } from "../stage.js";
import { inTurns } from "../turns.js";
import type { PageFile } from "./page-files.js";
import { PAGE_HEADERS, readPageFiles } from "./page-files.js";
import { playbook } from "./playbooks.js";

/** Smaller answers are sent as they are. */
const GZIP_BYTES_MIN = 2048;
/** Answers are compressed while requests wait: fast rather than small. */
const GZIP_LEVEL = 1;
/** Asked by orchestrators, which have no credentials. */
const OPEN_PATHS = new Set(["/healthz", "/readyz"]);

/** An answer: a status, and text, bytes, or an object that is sent as JSON. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string | Uint8Array | object;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** In the place of the body: what is too long to be made at once, made while it is sent. */
  readonly parts?: Iterable<string | Uint8Array>;
}

/** Answers `GET /api/v1/<name>`; undefined when there is no such thing. */
export type ApiHandler = (
  name: string,
  query: URLSearchParams,
) => Promise<AdminAnswer | undefined> | AdminAnswer | undefined;

/** What the answers are made from. */
export interface AdminSources {
  readonly metrics: () => MetricFamily[];
  /** When this process began. */
  readonly startedMs: number;
  readonly ready: () => boolean;
  readonly api: ApiHandler;
  /** Answers `GET /api/v1/quality-metrics`; `base` is the address under which we were found. */
  readonly quality: (query: URLSearchParams, base: string) => AdminAnswer;
  /** Which other web pages may read the answers; undefined for none. */
  readonly cors?: Cors | undefined;
  /** Who may ask; undefined for everybody who reaches the address. */
  readonly authenticator?: Authenticator | undefined;
}

const INDEX = `Tidemark receiver; a browser shows a page here
/metrics           metrics for Prometheus
/api/v1/verdicts   the latest verdict of each signal and window (?model=NAME)
/api/v1/changes    how verdicts have changed, the newest first (?model=NAME&signal=NAME&limit=100)
/api/v1/history    what one signal had (?model=NAME&signal=NAME&hours=24)
/api/v1/signals    every signal, with what it is compared with or how far it has learned
/api/v1/drifts     what drifts, what moved beside it, and which segments made it so
/api/v1/quality-metrics  the same for Jaeger's page of that name (?service=NAME&hours=N)
/api/v1/openapi.json     all of the API, and what the page is made from
/playbooks         what to do when an alert fires (/playbooks/NAME)
/api/v1/reference  what a model had of late, as a reference file (?model=NAME&hours=24)
/api/v1/status     how the receiver is: models, alarms, log, endpoints, configuration
/healthz  /readyz  alive, and ready to receive
`;

/** A small HTTP server beside the OTLP one, on loopback unless configured otherwise. */
export class AdminServer implements Stage {
  readonly host: string;
  private readonly requestedPort: number;
  private readonly sources: AdminSources;
  private readonly logger: Logger;
  private readonly server: Server;
  private readonly files: ReadonlyMap<string, PageFile>;
  private stopWatching: () => void = () => {};

  constructor(host: string, port: number, sources: AdminSources, logger: Logger) {
    this.host = host;
    this.requestedPort = port;
    this.sources = sources;
    this.logger = logger;
    this.files = readPageFiles();
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  /** The port it listens on, also when 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await listen(this.server, this.host, this.requestedPort, "exporters.prometheus.endpoint");
    this.stopWatching = this.sources.authenticator?.watch(this.logger) ?? this.stopWatching;
  }

  async shutdown(): Promise<void> {
    this.stopWatching();
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
    this.sources.cors?.allow(request, response);
    if (answer.parts === undefined) {
      send(request, response, answer);
      return;
    }
    try {
      await sendParts(request, response, answer, answer.parts);
    } catch (error) {
      // Whoever asked may have gone.
      if ((error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE") return;
      this.logger.error("a page met a defect of the receiver", { error, url: request.url });
    }
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
    const { authenticator } = this.sources;
    const { authorization } = request.headers;
    if (authenticator && !OPEN_PATHS.has(pathname) && !authenticator.admits(authorization)) {
      const headers = { "WWW-Authenticate": authenticator.challenges };
      return { status: 401, body: { error: "credentials are needed for this" }, headers };
    }
    if (pathname === "/metrics") return this.scrape(request);
    if (pathname === "/healthz") return { status: 200, body: "ok\n" };
    if (pathname === "/readyz") {
      return this.sources.ready()
        ? { status: 200, body: "ready\n" }
        : { status: 503, body: "starting\n" };
    }
    if (pathname === "/" && !accepts(request, "text/html")) return { status: 200, body: INDEX };
    const file = this.files.get(pathname);
    if (file) return fileAnswer(request, file);
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
    const { metrics, startedMs } = this.sources;
    const { accept = "" } = request.headers;
    const { body: parts, contentType } = exposeMetrics(metrics(), accept, startedMs);
    return { status: 200, body: "", contentType, parts };
  }
}

function accepts({ headers }: IncomingMessage, type: string): boolean {
  return (headers.accept ?? "").includes(type);
}

function acceptsGzip({ headers }: IncomingMessage): boolean {
  return /\bgzip\b(?!;\s*q=0(?:\.0*)?(?:,|$))/.test(headers["accept-encoding"] ?? "");
}

/** A browser keeps the file, and asks whether it still is the same. */
function fileAnswer(request: IncomingMessage, file: PageFile): AdminAnswer {
  const { tag, contentType } = file;
  const caching = { ETag: tag, "Cache-Control": "no-cache", Vary: "Accept, Accept-Encoding" };
  const headers = { ...PAGE_HEADERS, ...caching };
  if (request.headers["if-none-match"] === tag) return { status: 304, body: "", headers };
  if (!acceptsGzip(request)) return { status: 200, body: file.bytes, contentType, headers };
  const zipped = { ...headers, "Content-Encoding": "gzip" };
  return { status: 200, body: file.gzipped, contentType, headers: zipped };
}

function send(request: IncomingMessage, response: ServerResponse, answer: AdminAnswer): void {
  const { body: said } = answer;
  const isRaw = typeof said === "string" || said instanceof Uint8Array;
  const bytes = Buffer.from(isRaw ? said : `${JSON.stringify(said)}\n`);
  const isZipped =
    !isRaw && bytes.length >= GZIP_BYTES_MIN && request.method === "GET" && acceptsGzip(request);
  const body = isZipped ? gzipSync(bytes, { level: GZIP_LEVEL }) : bytes;
  response.writeHead(answer.status, {
    ...headersOf(answer, isRaw ? "text/plain; charset=utf-8" : "application/json"),
    "Content-Length": body.length,
    ...(isZipped ? { "Content-Encoding": "gzip" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function sendParts(
  { method }: IncomingMessage,
  response: ServerResponse,
  answer: AdminAnswer,
  parts: Iterable<string | Uint8Array>,
): Promise<void> {
  response.writeHead(answer.status, headersOf(answer, "text/plain; charset=utf-8"));
  if (method === "HEAD") {
    response.end();
    return;
  }
  response.flushHeaders();
  const hasGone = () => response.destroyed;
  await pipeline(inTurns(parts, hasGone), response);
}

function headersOf({ contentType, headers }: AdminAnswer, usual: string) {
  return {
    "Content-Type": contentType ?? usual,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...headers,
  } as Record<string, string | number>;
}
