/**
 * Which web pages may send, as browsers ask it.
 * https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CorsConfig } from "./config/otlp-receiver-schema.js";

/** What every OTLP exporter sends. */
const USUAL_HEADERS = ["Accept", "Content-Type", "Content-Encoding"];

/** Answers browsers' questions for a list of origins. */
export class Cors {
  private readonly anyOrigin: boolean;
  private readonly origins: readonly RegExp[];
  private readonly anyHeader: boolean;
  private readonly headers: string;
  private readonly maxAgeSeconds: number;

  constructor(config: CorsConfig) {
    this.anyOrigin = config.allowed_origins.includes("*");
    this.origins = config.allowed_origins.map(originPattern);
    this.anyHeader = config.allowed_headers.includes("*");
    this.headers = [...USUAL_HEADERS, ...config.allowed_headers].join(", ");
    this.maxAgeSeconds = config.max_age;
  }

  /** Lets the page of an allowed origin read the answer; others get none of these headers. */
  allow(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("Vary", "Origin");
    const { origin } = request.headers;
    if (origin === undefined || !this.allows(origin)) return;
    response.setHeader("Access-Control-Allow-Origin", this.anyOrigin ? "*" : origin);
    // Beacons are sent with credentials. A page of any origin must not borrow its visitors' ones.
    if (!this.anyOrigin) response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Expose-Headers", "Retry-After");
  }

  /** Whether the request is a browser's question about a page that may send. */
  isPreflight({ method, headers }: IncomingMessage): boolean {
    return (
      method === "OPTIONS" &&
      headers["access-control-request-method"] !== undefined &&
      headers.origin !== undefined &&
      this.allows(headers.origin)
    );
  }

  /** What such a page may send, beside what `allow` says. */
  preflight(request: IncomingMessage, response: ServerResponse): void {
    const asked = request.headers["access-control-request-headers"];
    response.setHeader("Access-Control-Allow-Methods", "POST");
    const headers = this.anyHeader ? (asked ?? this.headers) : this.headers;
    response.setHeader("Access-Control-Allow-Headers", headers);
    response.setHeader("Access-Control-Max-Age", this.maxAgeSeconds);
  }

  private allows(origin: string): boolean {
    return this.anyOrigin || this.origins.some((pattern) => pattern.test(origin));
  }
}

/** `*` stands for any characters that an origin may have there. */
function originPattern(text: string): RegExp {
  const parts = text
    .split("*")
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join("[^/]*")}$`, "i");
}
