/**
 * The one message of a unary gRPC call, out of the frames that it comes in: a flag, four bytes of
 * length, big-endian, and the message. Frames may end anywhere.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
import type { ServerHttp2Stream } from "node:http2";
import { tooLarge } from "./body.js";
import { ByteCollector } from "./byte-collector.js";
import type { Room } from "./intake.js";
import { OtlpError } from "./otlp-error.js";

const PREFIX_BYTES = 5;

/** A message as it came over the wire. */
export interface GrpcMessage {
  readonly bytes: Uint8Array;
  readonly compressed: boolean;
}

/** What bounds the reading of a message. */
export interface MessageBounds {
  readonly bodyBytesMax: number;
  /** Until all of it must be there. */
  readonly timeoutMs: number;
}

/**
 * The message of a call; what comes after a refusal is thrown away.
 * @throws OtlpError `tooLarge`, `overloaded`, `tooSlow`, or `badData` when it is not one whole one
 */
export function readMessage(
  stream: ServerHttp2Stream,
  { bodyBytesMax, timeoutMs }: MessageBounds,
  room: Room,
): Promise<GrpcMessage> {
  const reader = new GrpcMessageReader(bodyBytesMax, room);
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => {
      clearTimeout(timer);
      stream.off("data", onData);
      reject(error);
    };
    const timer = setTimeout(() => {
      refuse(new OtlpError("tooSlow", `the message did not arrive in ${timeoutMs} ms`));
    }, timeoutMs);
    const onData = (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        refuse(error as Error);
      }
    };
    stream.on("data", onData);
    stream.once("end", () => {
      try {
        resolve(reader.end());
        clearTimeout(timer);
      } catch (error) {
        refuse(error as Error);
      }
    });
    stream.once("close", () => {
      // An error costs a stack trace: it is made only for a message that has not come to its end.
      if (!stream.readableEnded) refuse(new OtlpError("badData", "the call was given up"));
    });
  });
}

/** Collects a message; its room is taken as soon as its length is known. */
class GrpcMessageReader {
  private readonly bytesMax: number;
  private readonly room: Room;
  private readonly prefix = Buffer.alloc(PREFIX_BYTES);
  private prefixBytes = 0;
  private lengthBytes = 0;
  private message = new ByteCollector();

  constructor(bytesMax: number, room: Room) {
    this.bytesMax = bytesMax;
    this.room = room;
  }

  /** @throws OtlpError `tooLarge`, `overloaded`, or `badData` for more than one message */
  push(chunk: Buffer): void {
    let at = 0;
    if (this.prefixBytes < PREFIX_BYTES) {
      at = chunk.copy(this.prefix, this.prefixBytes);
      this.prefixBytes += at;
      if (this.prefixBytes < PREFIX_BYTES) return;
      this.begin();
    }
    const rest = at === 0 ? chunk : chunk.subarray(at);
    if (this.message.length + rest.length > this.lengthBytes) {
      throw new OtlpError("badData", "there is something behind the message; send one a call");
    }
    if (rest.length > 0) this.message.push(rest);
  }

  /**
   * The message, when the client has said that there is no more.
   * @throws OtlpError `badData` when it is not whole
   */
  end(): GrpcMessage {
    if (this.prefixBytes < PREFIX_BYTES || this.message.length < this.lengthBytes) {
      throw new OtlpError("badData", "the message was cut off");
    }
    return { bytes: this.message.bytes(), compressed: this.prefix[0] === 1 };
  }

  private begin(): void {
    const flag = this.prefix[0] as number;
    if (flag > 1) throw new OtlpError("badData", `a message cannot begin with a byte ${flag}`);
    this.lengthBytes = this.prefix.readUInt32BE(1);
    if (this.lengthBytes > this.bytesMax) throw tooLarge(this.bytesMax);
    this.room.grow(this.lengthBytes);
    this.message = new ByteCollector(this.lengthBytes);
  }
}

/** A message with its prefix, not compressed. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}
