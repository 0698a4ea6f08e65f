/**
 * A server that speaks as much of MongoDB's wire protocol as one look-up takes: OP_MSG, and OP_QUERY
 * for the first greeting. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
import { createRequire } from "node:module";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";

type Document = Record<string, unknown>;

const { serialize, deserialize, Long } = createRequire(
  new URL("beside/node_modules/mongodb/package.json", import.meta.url),
)("bson") as {
  serialize: (document: Document) => Uint8Array;
  deserialize: (bytes: Uint8Array) => Document;
  Long: { ZERO: unknown };
};

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_BYTES = 16;

/** A server that finds `found`, whatever it is asked for. */
export function mongoServer(found: Document): Server {
  return createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= HEADER_BYTES && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0));
        pending = pending.subarray(message.length);
        answer(socket, message, found);
      }
    });
  });
}

function answer(socket: Socket, message: Buffer, found: Document): void {
  const request = message.readInt32LE(4);
  const code = message.readInt32LE(12);
  if (code === OP_MSG) {
    // Flags, and the kind of the section.
    const command = deserialize(message.subarray(HEADER_BYTES + 5));
    const reply = serialize(replyTo(command, found));
    send(socket, request, OP_MSG, Buffer.concat([Buffer.alloc(5), reply]));
  } else if (code === OP_QUERY) {
    // Flags, cursor, the place of the first document, and their number.
    const head = Buffer.alloc(20);
    head.writeInt32LE(1, 16);
    send(socket, request, OP_REPLY, Buffer.concat([head, serialize(GREETING)]));
  }
}

const GREETING: Document = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
};

function replyTo(command: Document, found: Document): Document {
  if ("hello" in command) return GREETING;
  if (!("find" in command)) return { ok: 1 };
  return { ok: 1, cursor: { id: Long.ZERO, ns: "features.days", firstBatch: [found] } };
}

function send(socket: Socket, request: number, code: number, body: Buffer): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + body.length, 0);
  header.writeInt32LE(request, 8);
  header.writeInt32LE(code, 12);
  socket.write(Buffer.concat([header, body]));
}
