/** HTTP/1.1 answers read from the bytes of a connection. */
import type { IncomingHttpHeaders } from "node:http";

/** One answer, final or interim. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The complete final answers at the start of `bytes`; interim ones are passed over. */
export function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  for (;;) {
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    if (headEnd < 0) return answers;
    const { status, headers } = parseHead(bytes.toString("latin1", at, headEnd));
    const bodyAt = headEnd + 4;
    const body =
      status < 200 ? { content: Buffer.alloc(0), end: bodyAt } : readBody(bytes, bodyAt, headers);
    if (body === undefined) return answers;
    if (status >= 200) answers.push({ status, headers, body: body.content });
    at = body.end;
  }
}

function parseHead(text: string): { status: number; headers: IncomingHttpHeaders } {
  const [first = "", ...lines] = text.split("\r\n");
  const headers: IncomingHttpHeaders = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers };
}

interface ReadBody {
  readonly content: Buffer;
  readonly end: number;
}

function readBody(bytes: Buffer, at: number, headers: IncomingHttpHeaders): ReadBody | undefined {
  if (headers["transfer-encoding"]?.toLowerCase() === "chunked") return readChunks(bytes, at);
  // Without a length the body lasts until the connection ends.
  const length = headers["content-length"];
  const end = length === undefined ? bytes.length : at + Number(length);
  return end > bytes.length ? undefined : { content: bytes.subarray(at, end), end };
}

function readChunks(bytes: Buffer, start: number): ReadBody | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (end > bytes.length) return undefined;
    if (size === 0) return { content: Buffer.concat(parts), end };
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
