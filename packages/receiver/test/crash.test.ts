/**
 * kill -9 at random moments under load, and while it starts. A client behaves as OTLP asks: it sends a batch again until
 * it is acknowledged. In the end every span has reached the sink, and was counted exactly once.
 *
 * TIDEMARK_CRASHES sets how often the receiver is killed (default 6), TIDEMARK_OUTAGE_SECONDS for how long the
 * endpoint is away meanwhile in a run of its own (default 3).
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { differentSpans, killableReceiver, startClients } from "./killable-receiver.ts";
import { startSink } from "./otlp-sink.ts";
import { storageFolder } from "./running-receiver.ts";

const CRASHES = Number(process.env["TIDEMARK_CRASHES"] ?? 6);
const OUTAGE_MS = Number(process.env["TIDEMARK_OUTAGE_SECONDS"] ?? 3) * 1000;
const CLIENTS = 4;

/** A sink that can go away and come back at its address, with all that has reached it. */
async function startRestlessSink() {
  let sink = await startSink();
  const { url, port } = sink;
  const deliveries = [sink.deliveries];
  return {
    url,
    goAway: () => sink.close(),
    comeBack: async () => {
      sink = await startSink(undefined, port);
      deliveries.push(sink.deliveries);
    },
    spans: () => differentSpans(deliveries.flat()),
  };
}

/** Runs `work` under load, and holds what was acknowledged against what was counted and has arrived. */
async function underLoad(
  work: (
    receiver: Awaited<ReturnType<typeof killableReceiver>>,
    sink: Awaited<ReturnType<typeof startRestlessSink>>,
  ) => Promise<void>,
): Promise<number> {
  const folder = storageFolder();
  const sink = await startRestlessSink();
  const receiver = await killableReceiver(folder, { sinkUrl: sink.url });
  try {
    await receiver.start();
    const clients = startClients(receiver.tracesUrl, CLIENTS);
    await work(receiver, sink);
    const acknowledged = await clients.stop();
    expect(await receiver.counted()).toEqual({ spans: acknowledged, values: acknowledged });
    await expect.poll(sink.spans, { timeout: 60_000, interval: 500 }).toBe(acknowledged);
    expect(receiver.log()).not.toContain('"level":"error"');
    return acknowledged;
  } finally {
    await receiver.end("SIGTERM");
    await sink.goAway();
    await rm(folder, { recursive: true, force: true });
  }
}

describe("kill -9", () => {
  it("loses nothing that was acknowledged, and counts nothing twice", async () => {
    const acknowledged = await underLoad(async (receiver, sink) => {
      for (let crash = 0; crash < CRASHES; crash++) {
        // Every third time the endpoint is away as well, every second time it dies while it starts.
        if (crash % 3 === 1) await sink.goAway();
        await sleep(100 + Math.random() * 900);
        await receiver.end("SIGKILL");
        if (crash % 2 === 1) {
          await receiver.start(Math.random() * 500);
          await receiver.end("SIGKILL");
        }
        await receiver.start();
        if (crash % 3 === 1) await sink.comeBack();
      }
    });
    expect(acknowledged).toBeGreaterThan(CRASHES * CLIENTS);
  }, 1_800_000);

  it("loses nothing of what was acknowledged while the endpoint was away, over many crashes", async () => {
    await underLoad(async (receiver, sink) => {
      await sink.goAway();
      const until = performance.now() + OUTAGE_MS;
      while (performance.now() < until) {
        await sleep(200 + Math.random() * 1500);
        await receiver.end("SIGKILL");
        await receiver.start();
      }
      await sink.comeBack();
    });
  }, 600_000);
});
