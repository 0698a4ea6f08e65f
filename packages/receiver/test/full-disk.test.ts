/**
 * A disk that is full, for real: a small tmpfs, where root may mount one. Clients are told to wait, what was acknowledged
 * stays, also over kill -9, and the receiver goes on by itself when there is room.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { grpcClient } from "./grpc-client.ts";
import {
  batch,
  differentSpans,
  killableReceiver,
  SPANS_PER_BATCH,
  startClients,
} from "./killable-receiver.ts";
import { startSink } from "./otlp-sink.ts";

const DISK = "4m";
/** Of one attribute: some 40 kB a batch, so that the disk is full after a hundred of them. */
const PADDING = 2000;

const mounted: string[] = [];
afterAll(async () => {
  for (const folder of mounted) {
    execFileSync("umount", [folder]);
    await rm(folder, { recursive: true });
  }
});

/** A file system of its own; undefined where one may not be made. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", folder], {
      stdio: "ignore",
    });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

type Receiver = Awaited<ReturnType<typeof killableReceiver>>;
type Clients = ReturnType<typeof startClients>;

const refusals = ({ answers }: Clients) => answers.get("503 after 5 s") ?? 0;
const deliveries = ({ answers }: Clients) => answers.get("200") ?? 0;

/**
 * Over both protocols, until further notice; what is still delivered may make room for a moment.
 * @returns sends what was refused over gRPC again until it is acknowledged, as a client does, and says how many spans came over gRPC
 */
async function expectRefusal(receiver: Receiver, clients: Clients) {
  const before = refusals(clients);
  await expect.poll(() => refusals(clients), { timeout: 30_000 }).toBeGreaterThan(before + 10);
  const client = grpcClient(receiver.grpcUrl);
  onTestFinished(() => client.close());
  const bodies: Uint8Array[] = [];
  const call = async () => {
    const body = batch(PADDING);
    bodies.push(body);
    const { code, retrySeconds } = await client.call(body);
    return [code, retrySeconds];
  };
  await expect.poll(call, { timeout: 30_000 }).toEqual([14, 5]);
  const refused = bodies.at(-1) as Uint8Array;
  return async () => {
    await expect.poll(async () => (await client.call(refused)).code, { timeout: 60_000 }).toBe(0);
    return bodies.length * SPANS_PER_BATCH;
  };
}

async function expectDeliveries(clients: Clients): Promise<void> {
  const before = deliveries(clients);
  await expect.poll(() => deliveries(clients), { timeout: 60_000 }).toBeGreaterThan(before + 10);
}

const disk = smallDisk();

describe.skipIf(disk === undefined)("on a disk that is full", () => {
  it("refuses and keeps what it has, over kill -9, and goes on when the endpoint is back", async () => {
    const folder = join(disk as string, "endpoint");
    const sink = await startSink(() => ({ status: 503 }));
    const receiver = await killableReceiver(folder, { sinkUrl: sink.url });
    onTestFinished(() => receiver.end("SIGKILL"));
    await receiver.start();
    const clients = startClients(receiver.tracesUrl, 4, PADDING);
    onTestFinished(() => clients.abandon());
    const first = await expectRefusal(receiver, clients);
    await receiver.end("SIGKILL");
    await receiver.start();
    const second = await expectRefusal(receiver, clients);

    await sink.close();
    const later = await startSink(undefined, sink.port);
    await expectDeliveries(clients);
    const acknowledged = (await clients.stop()) + (await first()) + (await second());
    const arrived = () => differentSpans(later.deliveries);
    await expect.poll(arrived, { timeout: 60_000, interval: 500 }).toBe(acknowledged);
    expect(await receiver.counted()).toEqual({ spans: acknowledged, values: acknowledged });
    await receiver.end("SIGTERM");
    await later.close();
    await rm(folder, { recursive: true });
  }, 180_000);

  it("goes on when somebody else has made room", async () => {
    const folder = join(disk as string, "filler");
    const sink = await startSink();
    const receiver = await killableReceiver(folder, { sinkUrl: sink.url });
    onTestFinished(() => receiver.end("SIGKILL"));
    await receiver.start();
    const clients = startClients(receiver.tracesUrl, 4, PADDING);
    onTestFinished(() => clients.abandon());
    await expectDeliveries(clients);
    const filler = join(disk as string, "filler.bin");
    const { bavail, bsize } = await statfs(folder);
    await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => {});
    const first = await expectRefusal(receiver, clients);
    await receiver.end("SIGKILL");
    await receiver.start();
    const second = await expectRefusal(receiver, clients);
    await rm(filler);
    await expectDeliveries(clients);
    const acknowledged = (await clients.stop()) + (await first()) + (await second());
    const arrived = () => differentSpans(sink.deliveries);
    await expect.poll(arrived, { timeout: 60_000, interval: 500 }).toBe(acknowledged);
    expect(await receiver.counted()).toEqual({ spans: acknowledged, values: acknowledged });
    await receiver.end("SIGTERM");
    await sink.close();
  }, 180_000);
});
