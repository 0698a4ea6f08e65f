/** Where notifications go in tests: a web server and a mail server that keep what they get. */
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { json } from "node:stream/consumers";

export interface Notification {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

export interface HttpSink {
  readonly url: string;
  readonly received: Notification[];
  stop(): Promise<void>;
}

/** Answers every POST of JSON with 200. */
export async function startHttpSink(): Promise<HttpSink> {
  const received: Notification[] = [];
  const server = createHttpServer((request, response) => {
    const kept = json(request).then((body) => {
      received.push({ path: request.url ?? "", body: body as Record<string, unknown> });
      return response.writeHead(200).end("ok");
    });
    // Who is stopped in the middle of a request leaves half of one.
    kept.catch(() => response.destroy());
  });
  const port = await listening(server);
  const stop = async () => {
    server.closeAllConnections();
    await closed(server);
  };
  return { url: `http://127.0.0.1:${port}`, received, stop };
}

export interface Mail {
  readonly login: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, as they came. */
  readonly data: string;
}

export interface SmtpSink {
  readonly address: string;
  readonly mails: Mail[];
  stop(): Promise<void>;
}

/**
 * As much of SMTP as a client with a password needs.
 * https://www.rfc-editor.org/rfc/rfc5321 and, for AUTH PLAIN, rfc4954
 */
export async function startSmtpSink(): Promise<SmtpSink> {
  const mails: Mail[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serve(socket, mails);
  });
  const port = await listening(server);
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await closed(server);
  };
  return { address: `127.0.0.1:${port}`, mails, stop };
}

function serve(socket: Socket, mails: Mail[]): void {
  let waiting = "";
  let data: string[] | undefined;
  let login = "";
  let from = "";
  let to: string[] = [];
  const answer = (line: string) => socket.write(`${line}\r\n`);
  const command = (line: string) => {
    const [verb = ""] = line.split(" ", 1);
    const argument = line.slice(verb.length + 1);
    if (/^EHLO$/i.test(verb)) return answer("250-sink\r\n250 AUTH PLAIN");
    if (/^AUTH$/i.test(verb)) {
      login = Buffer.from(argument.replace(/^PLAIN /i, ""), "base64").toString();
      return answer("235 welcome");
    }
    if (/^MAIL$/i.test(verb)) from = argument;
    if (/^RCPT$/i.test(verb)) to.push(argument);
    if (/^DATA$/i.test(verb)) {
      data = [];
      return answer("354 go on");
    }
    if (/^QUIT$/i.test(verb)) socket.end("221 bye\r\n");
    else answer("250 ok");
    return undefined;
  };
  answer("220 sink");
  socket.on("data", (chunk: Buffer) => {
    waiting += chunk.toString();
    const lines = waiting.split("\r\n");
    waiting = lines.pop() ?? "";
    for (const line of lines) {
      if (data === undefined) command(line);
      else if (line === ".") {
        mails.push({ login, from, to, data: data.join("\n") });
        data = undefined;
        to = [];
        answer("250 kept");
      } else data.push(line);
    }
  });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
  });
}
