import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { ConfigReload } from "../src/config/config-reload.ts";
import { ConfigError, loadConfig } from "../src/config/load-config.ts";
import { Logger } from "../src/logger.ts";
import { cli } from "./cli-runs.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

const folder = mkdtempSync(join(tmpdir(), "tidemark-reload-"));
const MINUTE_MS = 60_000;
const random = seeded(17);
const normals = (count: number, mean: number) =>
  Array.from({ length: count }, () => {
    return Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6) + mean;
  });

/** A reference of wind around a mean. */
function reference(name: string, mean: number, rows = 5000): string {
  const csv = join(folder, "training.csv");
  writeFileSync(csv, ["wind", ...normals(rows, mean)].join("\n"));
  const out = join(folder, `${name}.tidemark.json`);
  execFileSync(process.execPath, [cli, "baseline", "build", csv, "--model", "weather", "-o", out]);
  return out;
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(yaml: string): Promise<Receiver> {
  const receiver = await startReceiver(yaml);
  running.push(receiver);
  return receiver;
}

const spans = (winds: readonly number[], fromMs: number, version = "1"): TestSpan[] =>
  winds.map((wind, i) => ({
    atMs: fromMs + i,
    attributes: {
      "ml.model.name": "weather",
      "ml.model.version": version,
      "ml.stage": "inference",
      "ml.feature.wind": wind,
    },
  }));

const config = (file: string, more = "") =>
  `processors:\n  observe: { pane: 1m }\n  references: [{ file: ${file} }]\n` +
  `  evaluate: { windows: [5m], ladder: 1, dependence: none${more} }\n`;

/** Lets the window that holds START_MS end, and returns its verdict. */
async function verdict(receiver: Receiver, nowMs = START_MS + 8 * MINUTE_MS) {
  receiver.clock.nowMs = nowMs;
  await expect.poll(() => receiver.verdicts(), { timeout: 10_000 }).not.toEqual([]);
  const [found] = (await receiver.verdicts()) as Record<string, unknown>[];
  return found;
}

describe("a changed reference", () => {
  const [low, high] = [reference("low", 0), reference("high", 3)];

  it("is what open windows are compared with, and they lose nothing", async () => {
    const receiver = await started(config(low));
    await receiver.send(spans(normals(2000, 3), START_MS));
    receiver.reload(config(high));
    await receiver.send(spans(normals(1000, 3), START_MS + MINUTE_MS));
    expect(await verdict(receiver)).toMatchObject({
      reference: "high",
      liveCount: 3000,
      state: "stable",
    });
    expect(await receiver.metric("tidemark_receiver_config_reloads_total")).toEqual({
      '{outcome="success"}': 1,
      '{outcome="failed"}': 0,
    });
  });

  it("that is wrong finds the drift that is there", async () => {
    const receiver = await started(config(high));
    await receiver.send(spans(normals(3000, 3), START_MS));
    receiver.reload(config(low));
    expect(await verdict(receiver)).toMatchObject({ reference: "low", state: "drifted" });
  });

  it("that cannot be used changes nothing, and is said", async () => {
    const receiver = await started(config(high));
    await receiver.send(spans(normals(3000, 3), START_MS));
    receiver.reload("processors: { references: 7 }\n");
    const complaint = "processors.references: 7 is not possible; it must be a list";
    expect(receiver.log.join("")).toContain("the changed configuration cannot be used");
    expect(receiver.log.join("")).toContain(complaint);
    receiver.reload(config(join(folder, "nowhere.tidemark.json")));
    expect(receiver.log.join("")).toContain("nowhere.tidemark.json: cannot be read (ENOENT)");
    expect(await receiver.metric("tidemark_receiver_config_valid")).toEqual({ "": 0 });
    expect(await verdict(receiver)).toMatchObject({ reference: "high", liveCount: 3000 });
    receiver.reload(config(high));
    expect(await receiver.metric("tidemark_receiver_config_valid")).toEqual({ "": 1 });
  });

  it("ends the learning of a signal that had none", async () => {
    const receiver = await started("processors:\n  evaluate: { windows: [5m], ladder: 1 }\n");
    await receiver.send(spans(normals(200, 3), START_MS));
    receiver.reload(
      `processors:\n  references: [{ file: ${high} }]\n` +
        "  evaluate: { windows: [5m], ladder: 1 }\n",
    );
    await receiver.send(spans(normals(2000, 3), START_MS + MINUTE_MS));
    expect(await verdict(receiver)).toMatchObject({ reference: "high", liveCount: 2000 });
  });
});

describe("a changed configuration", () => {
  const file = reference("promise", 0);

  it("is judged by from the next window on", async () => {
    const receiver = await started(config(file));
    await receiver.send(spans(normals(3000, 0.6), START_MS));
    receiver.reload(config(file, ", shift: 1.5"));
    expect(await verdict(receiver)).toMatchObject({ state: "stable", liveCount: 3000 });
  });

  it("says which of its keys need a restart", async () => {
    const receiver = await started(config(file));
    receiver.reload(config(file).replace("pane: 1m", "pane: 30s"));
    expect(receiver.log.join("")).toContain(
      "some changes of the configuration need a restart file=test.yaml " +
        "keys=processors.observe.pane",
    );
  });
});

describe("the files of a configuration", () => {
  const yaml = join(folder, "watched.yaml");
  const write = (text: string) => {
    writeFileSync(`${yaml}.new`, text);
    renameSync(`${yaml}.new`, yaml);
  };

  function watching() {
    write("service: { reloadInterval: 20ms }\n");
    const applied: string[] = [];
    const reload = new ConfigReload(
      loadConfig(yaml, {}),
      {
        file: yaml,
        load: () => loadConfig(yaml, {}),
        apply: ({ service }) => applied.push(service.telemetry.logs.level),
      },
      new Logger("error", true, () => {}),
    );
    return { reload, applied };
  }

  it("are taken up when they have been replaced, once", async () => {
    const { reload, applied } = watching();
    await reload.start();
    try {
      write("service: { reloadInterval: 20ms, telemetry: { logs: { level: warn } } }\n");
      await expect.poll(() => applied).toEqual(["warn"]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(applied).toEqual(["warn"]);
      rmSync(yaml);
      await expect.poll(() => reload.status.error).toContain("cannot be read (ENOENT)");
      write("service: { reloadInterval: 20ms }\n");
      await expect.poll(() => applied).toEqual(["warn", "info"]);
      expect(reload.status.error).toBeUndefined();
    } finally {
      await reload.shutdown();
    }
  });

  it("include the references that it names", async () => {
    const named = reference("named", 0, 500);
    const { reload } = watching();
    write(`service: { reloadInterval: 20ms }\nprocessors: { references: [{ file: ${named} }] }\n`);
    await reload.start();
    try {
      const loaded = () => reload.status.loadedMs;
      const first = loaded();
      await expect.poll(loaded).toBeGreaterThan(first);
      const second = loaded();
      reference("named", 1, 600);
      await expect.poll(loaded).toBeGreaterThan(second);
    } finally {
      await reload.shutdown();
    }
  });

  it("are complained about with their line", () => {
    write("service: { reloadInterval: tomorrow }\n");
    expect(() => loadConfig(yaml, {})).toThrow(ConfigError);
  });
});

describe("a running receiver", () => {
  it("takes up its configuration on SIGHUP, and tells how it is", async () => {
    const yaml = join(folder, "running.yaml");
    const text = (more: string) =>
      "receivers: { otlp: { protocols: {\n" +
      "  http: { endpoint: '127.0.0.1:0' }, grpc: { endpoint: '127.0.0.1:0' } } } }\n" +
      "exporters: { prometheus: { endpoint: '127.0.0.1:0' } }\n" +
      `service: { reloadInterval: 0s, storage: { directory: running } }\n${more}`;
    writeFileSync(yaml, text(""));
    const child = spawn(process.execPath, [cli, "receive", "--config", yaml]);
    const exited = new Promise((resolve) => child.once("exit", resolve));
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    const status = (...args: string[]) =>
      new Promise<{ code: number | null; out: string }>((resolve) => {
        const asked = spawn(process.execPath, [cli, "status", ...args]);
        let out = "";
        asked.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
        asked.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
        asked.once("close", (code) => resolve({ code, out }));
      });
    try {
      await expect.poll(() => log, { timeout: 20_000 }).toContain('"message":"receiving"');
      const line = log.split("\n").find((one) => one.includes('"receiving"')) as string;
      const { admin } = JSON.parse(line) as { admin: string };
      const fine = await status("--url", admin);
      expect(fine.out).toContain(`at ${admin}, up for`);
      expect(fine.out).toContain("no model was seen yet");
      expect(fine.out).toMatch(/^ {2}log +batches behind +of 0 B$/m);
      expect(fine.code).toBe(0);
      writeFileSync(yaml, text("processors: { learn: { samples: 7 } }\n"));
      child.kill("SIGHUP");
      await expect.poll(() => log).toContain("the changed configuration cannot be used");
      const degraded = await status("--url", admin, "--json");
      expect(degraded.code).toBe(3);
      expect(JSON.parse(degraded.out)).toMatchObject({
        ready: true,
        config: { file: yaml, error: expect.stringContaining("learn.samples: must be") as string },
        problems: [expect.stringContaining("the changed configuration cannot be used") as string],
        log: { lag: { observe: 0 } },
      });
      writeFileSync(yaml, text("processors: { learn: { samples: 700 } }\n"));
      child.kill("SIGHUP");
      await expect
        .poll(() => log)
        .toContain("took up the configuration and the references that it names");
      expect((await status("--url", admin)).code).toBe(0);
    } finally {
      child.kill("SIGTERM");
    }
    expect(await exited).toBe(0);
    const gone = await status("--url", "http://127.0.0.1:9");
    expect(gone.code).toBe(2);
    expect(gone.out).toContain("no receiver answers at http://127.0.0.1:9 (");
  });
});
