/** A connection to an HTTP/1.1 server, over which one request goes at a time. */
import type { Socket } from "node:net";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { HttpAnswer } from "./http-response.js";
import { parseAnswer } from "./http-response.js";

/** Why there is no answer. */
export class HttpSendError extends Error {
  override readonly name = "HttpSendError";
  /** Not a byte has come back: a server that had closed the connection has not seen the request. */
  readonly unanswered: boolean;

  constructor(message: string, unanswered: boolean, options?: ErrorOptions) {
    super(message, options);
    this.unanswered = unanswered;
  }
}

interface UnderWay {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Connects at once; whoever has it sends, waits for the answer, and sends again if it is open. */
export class HttpConnection {
  private readonly socket: Socket;
  private underWay: UnderWay | undefined;
  private received: Buffer = Buffer.alloc(0);
  private failure: NodeJS.ErrnoException | undefined;
  /** It was given up for want of an answer. */
  timedOut = false;

  constructor({ protocol, hostname, port }: URL) {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const noDelay = true;
    this.socket =
      protocol === "https:"
        ? connectTls({ host, port: Number(port) || 443, servername: serverName(host) })
        : connect({ host, port: Number(port) || 80, noDelay });
    if (protocol === "https:") this.socket.setNoDelay(noDelay);
    this.socket.on("data", (chunk: Buffer) => this.take(chunk));
    this.socket.on("end", () => this.finish());
    this.socket.on("error", (error) => {
      this.failure ??= error;
    });
    this.socket.on("close", () => this.fail());
  }

  /** Whether another request may be sent. */
  get isOpen(): boolean {
    return this.socket.writable && this.socket.readable;
  }

  /**
   * Sends a request and waits for the whole answer.
   * @param head all up to the empty line, in latin1
   * @throws HttpSendError when no answer comes within `timeoutMs`
   */
  send(head: string, body: Uint8Array, timeoutMs: number): Promise<HttpAnswer> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.timedOut = true;
        this.failure = new Error(`no answer in ${timeoutMs} ms`);
        socket.destroy();
      }, timeoutMs);
      this.underWay = { resolve, reject, timer };
      // One call to the operating system for both.
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
      if (socket.destroyed) this.fail();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    // A server that speaks without being asked is not understood.
    if (this.underWay === undefined) this.socket.destroy();
    else this.answer(false);
  }

  private finish(): void {
    if (this.underWay) this.answer(true);
    this.socket.destroy();
  }

  private answer(ended: boolean): void {
    try {
      const answer = parseAnswer(this.received, ended);
      if (answer === undefined) return;
      // An answer before the end of the request: what is left of it must not be sent any more.
      if (!answer.reusable || this.socket.writableLength > 0) this.socket.destroy();
      this.received = Buffer.alloc(0);
      this.release()?.resolve(answer);
    } catch (error) {
      this.failure = error as Error;
      this.socket.destroy();
    }
  }

  private fail(): void {
    const unanswered = this.received.length === 0;
    const { failure } = this;
    const message = failure?.message || (failure?.code ?? "the connection was closed");
    this.release()?.reject(new HttpSendError(message, unanswered, { cause: failure }));
  }

  private release(): UnderWay | undefined {
    const { underWay } = this;
    this.underWay = undefined;
    if (underWay) clearTimeout(underWay.timer);
    return underWay;
  }
}

/** TLS names hosts, never addresses. */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? "" : host;
}
