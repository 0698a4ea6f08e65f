/**
 * Sends one body to an OTLP/HTTP endpoint and says what became of it.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { RequestOptions } from "node:https";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { urlToHttpOptions } from "node:url";
import { RpcStatus } from "../otlp/schema.js";
import type { OtlpClient, SendResult } from "./otlp-client.js";

const RETRYABLE = new Set([429, 502, 503, 504]);
/** Enough of an answer to say in a log what the endpoint did not like. */
const REASON_BYTES_MAX = 512;

/** Keep-alive connections to one endpoint, at most `connectionsMax` of them. */
export class HttpClient implements OtlpClient {
  private readonly request: typeof httpRequest;
  private readonly options: RequestOptions;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly timeoutMs: number;
  private readonly agent: HttpAgent;

  constructor(
    url: URL,
    headers: Readonly<Record<string, string>>,
    connectionsMax: number,
    timeoutMs: number,
  ) {
    this.headers = headers;
    this.timeoutMs = timeoutMs;
    const secure = url.protocol === "https:";
    this.request = secure ? httpsRequest : httpRequest;
    const Agent = secure ? HttpsAgent : HttpAgent;
    this.agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
    this.options = { ...urlToHttpOptions(url), method: "POST", agent: this.agent };
  }

  send(body: Uint8Array, contentType: string, contentEncoding: string): Promise<SendResult> {
    const headers: Record<string, string | number> = {
      ...this.headers,
      "Content-Type": contentType,
      "Content-Length": body.length,
    };
    if (contentEncoding) headers["Content-Encoding"] = contentEncoding;
    const { options, timeoutMs } = this;
    return new Promise((resolve) => {
      const sent = this.request({ ...options, headers }, (response) => {
        void resultOf(response).then((result) => {
          // An answer before the end of the body: what is left of it must not be sent any more.
          if (!sent.writableFinished) sent.destroy();
          return resolve(result);
        });
      });
      sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      sent.once("error", (error: NodeJS.ErrnoException) => {
        resolve({ kind: "retry", reason: error.message || (error.code ?? "connection failed") });
      });
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

async function resultOf(response: IncomingMessage): Promise<SendResult> {
  try {
    const { statusCode: status = 0 } = response;
    if (status < 200 || status >= 300) return await readRefusal(response, status);
    // Nothing in it is of interest, and listening costs less than reading.
    response.resume();
    await once(response, "end");
    return { kind: "delivered" };
  } catch (error) {
    return { kind: "retry", reason: (error as Error).message };
  }
}

async function readRefusal(response: IncomingMessage, status: number): Promise<SendResult> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < REASON_BYTES_MAX) chunks.push(chunk);
    size += chunk.length;
  }
  const answer = Buffer.concat(chunks).subarray(0, REASON_BYTES_MAX);
  const reason = `HTTP ${status}: ${answerText(answer, response.headers["content-type"])}`;
  if (!RETRYABLE.has(status)) return { kind: "refused", reason };
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"]);
  return retryAfterMs === undefined
    ? { kind: "retry", reason }
    : { kind: "retry", reason, retryAfterMs };
}

/** What an answer says: the message of a google.rpc.Status, else its text. */
function answerText(answer: Uint8Array, type = ""): string {
  let text = Buffer.from(answer).toString("utf8");
  if (type.startsWith("application/x-protobuf")) {
    try {
      text = (RpcStatus.decode(answer) as { message?: string }).message || "no message";
    } catch {
      // Cut off, or no Status: its readable characters may still tell something.
    }
  }
  return text.replaceAll(/[^\x20-\x7e]+/g, " ").trim();
}

/** Seconds or an HTTP date, as milliseconds from now. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
