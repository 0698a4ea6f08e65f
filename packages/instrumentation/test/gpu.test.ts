import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseGpus } from "../src/nvidia-smi.js";
import { FIXTURES, runApp } from "./run-app.js";

const TWO =
  "0, GPU-5c1a, NVIDIA A100-SXM4-80GB, 0, 0, 81920, 31, 62.13\n" +
  "1, GPU-77fe, NVIDIA H100, PCIe, 97, 40960, 81559, [N/A], [Not Supported]\n";
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder for PATH that holds an `nvidia-smi` of these lines of shell, or none. */
function pathWith(script?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-gpu-"));
  folders.push(folder);
  if (script !== undefined) {
    const file = join(folder, "nvidia-smi");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  return [folder, "/usr/bin", "/bin"].join(delimiter);
}

interface Exported {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: {
    readonly dataPoints: readonly {
      readonly asDouble?: number;
      readonly asInt?: number;
      readonly attributes: readonly { key: string; value: { stringValue: string } }[];
    }[];
  };
}

/** Runs a program for a while and returns the metrics that it has exported last, by name. */
async function collect(path: string, livesMs = 900) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (request.url === "/v1/metrics") bodies.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const result = await runApp(["app.mjs", String(livesMs)], {
    cwd: join(FIXTURES, "gpu"),
    env: {
      PATH: path,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      OTEL_METRIC_EXPORT_TIMEOUT: "150",
    },
  });
  server.closeAllConnections();
  server.close();
  const exported = bodies.flatMap((body) =>
    (
      JSON.parse(body) as {
        resourceMetrics: { scopeMetrics: { metrics: Exported[] }[] }[];
      }
    ).resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
  );
  const points = (name: string) =>
    (exported.findLast((metric) => metric.name === name)?.gauge?.dataPoints ?? []).map((point) => [
      point.asDouble ?? Number(point.asInt),
      ...point.attributes.map(({ value }) => value.stringValue),
    ]);
  return { ...result, points, names: new Set(exported.map(({ name }) => name)) };
}

describe("the output of nvidia-smi", () => {
  test("is read with zeros, commas in names, and what it does not tell", () => {
    expect(parseGpus(TWO)).toEqual([
      {
        index: "0",
        uuid: "GPU-5c1a",
        model: "NVIDIA A100-SXM4-80GB",
        utilization: 0,
        memoryUsedBytes: 0,
        memoryTotalBytes: 81_920 * 2 ** 20,
        temperatureCelsius: 31,
        powerWatts: 62.13,
      },
      {
        index: "1",
        uuid: "GPU-77fe",
        model: "NVIDIA H100,PCIe",
        utilization: 0.97,
        memoryUsedBytes: 40_960 * 2 ** 20,
        memoryTotalBytes: 81_559 * 2 ** 20,
        temperatureCelsius: undefined,
        powerWatts: undefined,
      },
    ]);
  });

  test.each(["", "\n", "No devices were found\n", "0, GPU-1\n", ",,,,,,,,\n"])(
    "%j holds no GPU",
    (output) => expect(parseGpus(output)).toEqual([]),
  );
});

describe("an app that exports metrics", () => {
  test("states every GPU under both names, a busy one and an idle one", async () => {
    const { stdout, stderr, points, names } = await collect(pathWith(`cat <<'CSV'\n${TWO}CSV`));
    expect({ stdout, stderr }).toEqual({ stdout: "done\n", stderr: "" });
    expect(points("hw.gpu.utilization")).toEqual([
      [0, "GPU-5c1a", "NVIDIA A100-SXM4-80GB", "gpu"],
      [0.97, "GPU-77fe", "NVIDIA H100,PCIe", "gpu"],
    ]);
    expect(points("ml.gpu.utilization")).toEqual([
      [0, "0"],
      [97, "1"],
    ]);
    expect(points("ml.gpu.memory.used")).toEqual([
      [0, "0"],
      [40_960 * 2 ** 20, "1"],
    ]);
    expect(points("hw.power")).toEqual([[62.13, "GPU-5c1a", "NVIDIA A100-SXM4-80GB", "gpu"]]);
    // OpenTelemetry's own runtime metrics come with them.
    expect(
      [...names].filter((name) => /^(?:nodejs\.eventloop|v8js\.memory)/.test(name)),
    ).not.toEqual([]);
  });

  test("on a machine without one states none and says nothing", async () => {
    const { stdout, stderr, names } = await collect(pathWith());
    expect({ stdout, stderr }).toEqual({ stdout: "done\n", stderr: "" });
    expect([...names].filter((name) => name.includes("gpu"))).toEqual([]);
  });

  test("says why it cannot read them, once", async () => {
    const failing = "echo 'NVIDIA-SMI has failed because it could not talk to the driver.'; exit 9";
    const { stdout, stderr } = await collect(pathWith(failing));
    expect(stdout).toBe("done\n");
    expect(stderr).toBe(
      "tidemark: nvidia-smi cannot be read: " +
        "NVIDIA-SMI has failed because it could not talk to the driver.\n",
    );
  });

  test("is not held up by one that hangs, and kills it", async () => {
    const short = await collect(pathWith("exec sleep 60"), 600);
    expect(short).toMatchObject({ code: 0, stdout: "done\n" });
    const long = await collect(pathWith("exec sleep 60"), 4000);
    expect(long.stderr).toContain("nvidia-smi cannot be read: it did not answer in 2 s\n");
  });
});
