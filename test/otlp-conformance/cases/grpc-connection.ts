/** Streams and frames of HTTP/2 under gRPC. */
import { constants } from "node:http2";
import { allOf, grpcCases } from "../conformance-case.ts";
import type { GrpcEndpoint } from "../grpc-endpoint.ts";
import { frame } from "../grpc-endpoint.ts";
import { accepted, andServing, judgeCall, refusedForGood } from "../grpc-expectations.ts";
import { tracesBody } from "../sample-requests.ts";
import { SPEC } from "../spec-links.ts";

const CONCURRENT = 100;

/** How calls come in. */
export const grpcConnection = grpcCases(
  {
    id: "grpc-split-frames",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "a message in DATA frames of one byte is read, as frames mean nothing to gRPC",
    run: async (grpc) => {
      const pieces = [...frame(tracesBody())].map((byte) => Buffer.from([byte]));
      return judgeCall(await grpc.call({ pieces, what: "a frame a byte" }), accepted);
    },
  },
  {
    id: "grpc-concurrent",
    level: "SHOULD",
    spec: SPEC.grpcConcurrent,
    title: `${CONCURRENT} calls at once on one connection are all accepted`,
    run: async (grpc) => {
      const session = grpc.connect();
      try {
        const what = `${CONCURRENT} calls at once`;
        const calls = Array.from({ length: CONCURRENT }, () =>
          grpc.call({ pieces: [frame(tracesBody())], what }, session),
        );
        return allOf(...(await Promise.all(calls)).map((answer) => judgeCall(answer, accepted)));
      } finally {
        session.destroy();
      }
    },
  },
  {
    id: "grpc-sequence",
    level: "MUST",
    spec: SPEC.grpcConcurrent,
    title: "one connection serves call after call, also after one that was refused",
    run: async (grpc) => {
      const session = grpc.connect();
      const call = (message: Uint8Array, what: string) =>
        grpc.call({ pieces: [frame(message)], what }, session);
      try {
        return allOf(
          judgeCall(await call(tracesBody(), "a span"), accepted),
          judgeCall(await call(Buffer.from("hello"), "text"), refusedForGood),
          judgeCall(await call(tracesBody(), "a span"), accepted),
        );
      } finally {
        session.destroy();
      }
    },
  },
  {
    id: "grpc-ping",
    level: "MUST",
    spec: SPEC.http2Ping,
    title: "a PING, as clients send to keep a connection alive, is acknowledged",
    run: async (grpc) => {
      const session = grpc.connect();
      try {
        const answer = await grpc.call({ pieces: [frame(tracesBody())] }, session);
        const acknowledged = await new Promise<boolean>((resolve) => {
          if (!session.ping((error) => resolve(error === null))) resolve(false);
        });
        const finding = judgeCall({ ...answer, sent: `${answer.sent}; then PING` }, accepted);
        const faults = acknowledged ? finding.faults : ["the PING was not acknowledged"];
        return { ...finding, faults };
      } finally {
        session.destroy();
      }
    },
  },
  {
    id: "grpc-message-cut",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "a stream that ends within a message is answered with a failure",
    run: async (grpc) => {
      const half = frame(tracesBody()).subarray(0, 40);
      const answer = await grpc.call({ pieces: [half], what: "half of a message" });
      return andServing(grpc, judgeCall(answer, refusedOrBroken));
    },
  },
  {
    id: "grpc-no-message",
    level: "MUST",
    spec: SPEC.grpcHttp2,
    title: "a call without a message is answered with a failure",
    run: async (grpc) => {
      const answer = await grpc.call({ pieces: [], what: "no message" });
      return andServing(grpc, judgeCall(answer, refusedOrBroken));
    },
  },
  {
    id: "grpc-cancelled",
    level: "EXPECTED",
    spec: SPEC.grpcHttp2,
    title: "clients that cancel in the middle of a message leave nothing behind that harms others",
    run: async (grpc) => {
      await Promise.all(Array.from({ length: 20 }, () => cancel(grpc)));
      const sent = "20 calls cancelled in their messages, then one more";
      return judgeCall({ ...(await grpc.export(tracesBody())), sent }, accepted);
    },
  },
);

/** A status other than OK, or a stream that the endpoint reset. */
function refusedOrBroken(answer: Parameters<typeof refusedForGood>[0]): string | undefined {
  return answer.failure === undefined ? refusedForGood(answer) : undefined;
}

async function cancel(grpc: GrpcEndpoint): Promise<void> {
  const session = grpc.connect();
  const stream = grpc.open(session, {});
  stream.on("error", () => {});
  await new Promise<void>((resolve) => {
    stream.write(frame(tracesBody()).subarray(0, 40), () => resolve());
  });
  stream.close(constants.NGHTTP2_CANCEL);
  session.destroy();
}
