/** What a crash in the middle of a write leaves at the end of the log, made by hand behind a kill -9. */
import { appendFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeHeader } from "../src/log/log-record.ts";
import { batch, differentSpans, killableReceiver, startClients } from "./killable-receiver.ts";
import { startSink } from "./otlp-sink.ts";
import { storageFolder } from "./running-receiver.ts";

/** A record as the writer would have written it next, had it come to its end. */
function nextRecord(): Buffer {
  const record = {
    body: batch(),
    signal: "traces" as const,
    contentType: "application/x-protobuf",
    contentEncoding: "",
    receivedMs: Date.now(),
    sequence: 1e9,
  };
  return Buffer.concat([encodeHeader(record), record.body]);
}

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
function changed(bytes: Buffer): Buffer {
  bytes[40] = (bytes[40] as number) ^ 1;
  return bytes;
}

const TAILS: [name: string, make: () => Buffer][] = [
  ["half a record", () => half(nextRecord())],
  ["half a header", () => nextRecord().subarray(0, 16)],
  ["zeros, as from a block that was never written", () => Buffer.alloc(5000)],
  ["garbage", () => Buffer.from(Array.from({ length: 3000 }, () => Math.random() * 256))],
  ["a record of which a byte has changed", () => changed(nextRecord())],
];

describe("a log that ends with", () => {
  it.each(TAILS)(
    "%s is cut there, said and counted, and loses nothing acknowledged",
    async (_, make) => {
      const folder = storageFolder();
      const sink = await startSink(() => ({ status: 503 }));
      const receiver = await killableReceiver(folder, { sinkUrl: sink.url });
      try {
        await receiver.start();
        const clients = startClients(receiver.tracesUrl, 2);
        await expect.poll(() => clients.answers.get("200") ?? 0).toBeGreaterThan(20);
        const acknowledged = await clients.stop();
        await receiver.end("SIGKILL");
        await sink.close();
        const segments = (await readdir(receiver.logFolder)).filter((name) =>
          name.endsWith(".log"),
        );
        const newest = join(receiver.logFolder, segments.toSorted().at(-1) as string);
        const { size } = await stat(newest);
        const tail = make();
        await appendFile(newest, tail);

        const later = await startSink(undefined, sink.port);
        await receiver.start();
        const said =
          receiver
            .log()
            .split("\n")
            .find((line) => line.includes("torn end")) ?? "{}";
        expect(JSON.parse(said)).toMatchObject({ file: newest, offset: size, bytes: tail.length });
        expect(await receiver.metric("tidemark_receiver_log_damages_total")).toBe(1);
        const arrived = () => differentSpans(later.deliveries);
        await expect.poll(arrived, { timeout: 60_000 }).toBe(acknowledged);
        expect(await receiver.counted()).toEqual({ spans: acknowledged, values: acknowledged });

        const more = startClients(receiver.tracesUrl, 1);
        await expect.poll(() => more.answers.get("200") ?? 0).toBeGreaterThan(2);
        const all = acknowledged + (await more.stop());
        await expect.poll(arrived, { timeout: 60_000 }).toBe(all);
        await later.close();
      } finally {
        await receiver.end("SIGTERM");
        await sink.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
