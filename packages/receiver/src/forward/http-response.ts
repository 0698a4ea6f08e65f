/**
 * Reads the answers of an HTTP/1.1 server off a connection: as much of RFC 9112 as a client needs
 * that sends one request at a time and wants to know what became of it.
 */

/** The start of an answer's body that is kept, enough to say in a log what was wrong. */
const BODY_BYTES_MAX = 512;
const HEAD_BYTES_MAX = 32 * 1024;
/** Of a longer answer no more is read: the connection is given up instead. */
const ANSWER_BYTES_MAX = 256 * 1024;

/** What came is no HTTP/1.x answer. */
export class HttpAnswerError extends Error {
  override readonly name = "HttpAnswerError";
}

/** One whole answer. */
export interface HttpAnswer {
  readonly status: number;
  /** By name in lower case; of a header that comes several times the last one. */
  readonly headers: ReadonlyMap<string, string>;
  /** The first {@link BODY_BYTES_MAX} bytes. */
  readonly body: Uint8Array;
  /** The connection can take another request. */
  readonly reusable: boolean;
}

/**
 * The answer that `bytes` hold, past any 1xx.
 * @param ended no more bytes will come
 * @returns undefined while there is more to come
 * @throws HttpAnswerError when it is none, or ends too early
 */
export function parseAnswer(bytes: Buffer, ended: boolean): HttpAnswer | undefined {
  const head = parseHead(bytes);
  if (head === undefined) {
    if (ended) throw new HttpAnswerError("the connection was closed before an answer");
    return undefined;
  }
  const { status, headers, bodyAt } = head;
  if (status < 200) return parseAnswer(bytes.subarray(bodyAt), ended);
  const answer = (body: Uint8Array, isWhole: boolean): HttpAnswer => ({
    status,
    headers,
    body: body.subarray(0, BODY_BYTES_MAX),
    reusable: isWhole && head.persistent,
  });
  const body = parseBody(bytes, head);
  if (body) return answer(body.bytes, body.end === bytes.length);
  if (bytes.length > ANSWER_BYTES_MAX) return answer(bytes.subarray(bodyAt), false);
  if (!ended) return undefined;
  // Without a length the end of the connection is the end of the body.
  const isDelimited = headers.has("content-length") || headers.has("transfer-encoding");
  if (isDelimited) throw new HttpAnswerError("the connection was closed within an answer");
  return answer(bytes.subarray(bodyAt), false);
}

interface AnswerHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly bodyAt: number;
  readonly persistent: boolean;
}

function parseHead(bytes: Buffer): AnswerHead | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0 || end > HEAD_BYTES_MAX) {
    if (bytes.length > HEAD_BYTES_MAX) throw new HttpAnswerError("its answer's header is too long");
    return undefined;
  }
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine) ?? [];
  if (status === undefined) throw new HttpAnswerError("its answer is no HTTP/1.1");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new HttpAnswerError("its answer has a header that is none");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const persistent = minor === "1" ? connection !== "close" : connection === "keep-alive";
  return { status: Number(status), headers, bodyAt: end + 4, persistent };
}

/** The body, and where it ends; undefined while it has not. */
function parseBody(bytes: Buffer, { status, headers, bodyAt }: AnswerHead) {
  if (status === 204 || status === 304) return { bytes: bytes.subarray(0, 0), end: bodyAt };
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked") {
      throw new HttpAnswerError(`its answer comes as "${coding}", which is not understood`);
    }
    return parseChunks(bytes, bodyAt);
  }
  const length = headers.get("content-length");
  if (length === undefined) return undefined;
  if (!/^\d{1,15}$/.test(length)) throw new HttpAnswerError("its answer has no valid length");
  const end = bodyAt + Number(length);
  return end <= bytes.length ? { bytes: bytes.subarray(bodyAt, end), end } : undefined;
}

function parseChunks(bytes: Buffer, bodyAt: number) {
  const parts: Buffer[] = [];
  for (let at = bodyAt; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const [, size] =
      /^([\da-f]{1,8})[ \t]*(?:;|$)/i.exec(bytes.toString("latin1", at, lineEnd)) ?? [];
    if (size === undefined) throw new HttpAnswerError("its answer has a chunk without a length");
    const length = Number.parseInt(size, 16);
    const from = lineEnd + 2;
    if (length === 0) {
      // Behind the last chunk there may be trailers, and then an empty line.
      const end = bytes.subarray(lineEnd).indexOf("\r\n\r\n");
      return end < 0 ? undefined : { bytes: Buffer.concat(parts), end: lineEnd + end + 4 };
    }
    at = from + length + 2;
    if (at > bytes.length) return undefined;
    if (bytes.toString("latin1", at - 2, at) !== "\r\n") {
      throw new HttpAnswerError("its answer has a chunk of another length than it says");
    }
    parts.push(bytes.subarray(from, from + length));
  }
}
