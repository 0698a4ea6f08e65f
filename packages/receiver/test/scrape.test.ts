/** A scrape of very many series, over real HTTP: others are answered while it is written. */
import { once } from "node:events";
import { request } from "node:http";
import { METRICS } from "@tidemark/semconv";
import { describe, expect, it, onTestFinished } from "vitest";
import { AdminServer } from "../src/admin/admin-server.ts";
import { Logger } from "../src/logger.ts";
import type { MetricFamily, NumberPoint } from "../src/metric-family.ts";
import { lazily } from "../src/metric-family.ts";

const POINTS = 200_000;
const PROTOBUF =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/** A server with very many series, and how many of them have been made. */
async function serverWith(fail = Number.POSITIVE_INFINITY) {
  const state = { made: 0, madeWhenAsked: 0, logged: "" };
  const points = lazily(function* (): Generator<NumberPoint> {
    for (let index = 0; index < POINTS; index++) {
      if (index === fail) throw new Error("a defect");
      state.made++;
      yield { labels: { signal: `feature-${index}`, window: "1h" }, value: index };
    }
  });
  const families: MetricFamily[] = [{ definition: METRICS.driftScore, points }];
  const server = new AdminServer(
    "127.0.0.1",
    0,
    {
      metrics: () => families,
      startedMs: 0,
      ready: () => {
        state.madeWhenAsked = state.made;
        return true;
      },
      api: () => undefined,
      quality: () => ({ status: 404, body: "" }),
    },
    new Logger("error", true, (line) => {
      state.logged += line;
    }),
  );
  await server.start();
  onTestFinished(() => server.shutdown());
  return { state, url: `http://127.0.0.1:${server.port}` };
}

describe.each(["text/plain", PROTOBUF])("a long scrape as %s", (accept) => {
  it("is whole, and lets others be answered meanwhile", async () => {
    const { state, url } = await serverWith();
    const scrape = fetch(`${url}/metrics`, { headers: { accept } });
    const bytes = scrape.then(async (answer) => Buffer.from(await answer.arrayBuffer()));
    await expect.poll(() => state.made).toBeGreaterThan(0);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const body = await bytes;
    expect(state.made).toBe(POINTS);
    expect(state.madeWhenAsked).toBeGreaterThan(0);
    expect(state.madeWhenAsked).toBeLessThan(POINTS);
    for (const index of [0, POINTS - 1]) expect(body.includes(`feature-${index}`)).toBe(true);
  });

  it("is not written on for whom has gone, and head alone asks for nothing", async () => {
    const { state, url } = await serverWith();
    const head = await fetch(`${url}/metrics`, { method: "HEAD", headers: { accept } });
    expect([head.status, await head.text(), state.made]).toEqual([200, "", 0]);
    const asked = request(`${url}/metrics`, { headers: { accept } });
    asked.on("error", () => {});
    asked.end();
    await once(asked, "response");
    asked.destroy();
    const settled = async () => {
      const before = state.made;
      await fetch(`${url}/readyz`);
      await fetch(`${url}/readyz`);
      return state.made === before;
    };
    await expect.poll(settled).toBe(true);
    expect(state.made).toBeLessThan(POINTS);
    expect(state.logged).toBe("");
  });

  it("that meets a defect breaks off, says so in the log, and leaves the server well", async () => {
    const { state, url } = await serverWith(POINTS / 2);
    const answer = fetch(`${url}/metrics`, { headers: { accept } }).then((given) => given.text());
    await expect(answer).rejects.toThrow();
    expect(state.logged).toContain("a defect");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});
