import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, cliFolder } from "./cli-runs.ts";

const { folder, file, tidemark } = cliFolder();

const training = file(
  "training.csv",
  [
    "wind,sky,when",
    ...Array.from({ length: 50 }, (_, i) => `${i / 10},${i % 3 ? "sun" : "rain"},`),
  ].join("\n"),
);

describe("tidemark", () => {
  it("says which Node it needs", () => {
    const old = file(
      "old.cjs",
      'Object.defineProperty(process.versions, "node", { value: "20.20.0" });',
    );
    const { status, stderr } = spawnSync(process.execPath, ["--require", old, cli, "--help"], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^tidemark: needs Node 22\.15 or newer, not 20\.20\.0; .*\n$/);
  });

  it("says nothing when its reader has seen enough", async () => {
    const child = spawn(process.execPath, [cli, "config-schema"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("explains itself, and tells wrong arguments from failures", () => {
    expect(tidemark("--help")).toMatchObject({ status: 0, stderr: "" });
    expect(tidemark("--help").stdout).toContain("tidemark baseline build DATA...");
    expect(tidemark("observe").stderr).toBe(
      'tidemark: there is no command "observe"; see tidemark --help\n',
    );
    expect(tidemark("receive", "--colour").status).toBe(2);
    expect(tidemark("receive", "--json").stderr).toContain("receive takes no --json");
    expect(tidemark("baseline", "build", training).stderr).toContain(
      "needs --model NAME and --out FILE",
    );
    expect(tidemark("baseline").stderr).toContain("baseline needs build, show or merge");
    expect(tidemark("check-config").status).toBe(2);
  });

  it("explains one command by itself, within 80 columns", () => {
    const all = tidemark("--help").stdout;
    expect(all.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(tidemark("status", "--help").stdout).toMatch(/^ {2}tidemark status [^]*attention\.\n$/);
    expect(tidemark("help", "status").stdout).toBe(tidemark("status", "-h").stdout);
    const headings = (...args: string[]) =>
      tidemark(...args, "--help").stdout.match(/(?<=^ {2}tidemark ).*?(?= [A-Z[])/gm);
    expect(headings("baseline")).toEqual(["baseline build", "baseline show", "baseline merge"]);
    expect(headings("baseline", "merge")).toEqual(["baseline merge"]);
    expect(tidemark("report", "--help").stdout).not.toContain("Exit codes");
    expect(headings("compare", "a.json", "b.csv")).toEqual(["compare"]);
    expect(tidemark("help", "stat").stdout).toBe(all);
    expect(tidemark("compare", "--colour").stderr).toBe(
      "tidemark: Unknown option '--colour'; see tidemark --help\n",
    );
  });

  it("checks a configuration with everything that it refers to", () => {
    tidemark("baseline", "build", training, "--model", "weather", "--out", "a.tidemark.json");
    const good = file("good.yaml", "processors: { references: [{ file: a.tidemark.json }] }\n");
    expect(tidemark("check-config", good)).toMatchObject({ status: 0 });
    const bad = file("bad.yaml", "processors: { references: [{ file: missing.json }] }\n");
    expect(tidemark("check-config", bad).stderr).toContain("missing.json: cannot be read (ENOENT)");
    expect(tidemark("receive", "--config", file("typo.yaml", "recievers: {}\n")).stderr).toContain(
      "typo.yaml:1: recievers: unknown key; known here: receivers",
    );
    const schema = JSON.parse(tidemark("config-schema").stdout) as { properties: object };
    expect(Object.keys(schema.properties)).toEqual([
      "receivers",
      "processors",
      "exporters",
      "service",
    ]);
  });

  it("says which address or folder is taken, and stops cleanly on SIGTERM", async () => {
    const yaml = file(
      "ports.yaml",
      "receivers: { otlp: { protocols: {\n" +
        "  http: { endpoint: '127.0.0.1:0' }, grpc: { endpoint: '127.0.0.1:0' } } } }\n" +
        "exporters: { prometheus: { endpoint: '127.0.0.1:0' } }\n" +
        "service: { storage: { directory: kept } }\n",
    );
    const child = spawn(process.execPath, [cli, "receive", "--config", yaml]);
    const exited = new Promise((resolve) => child.once("exit", resolve));
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    try {
      await expect.poll(() => log, { timeout: 20_000 }).toContain('"message":"receiving"');
      const { otlp } = JSON.parse(log.trim().split("\n").at(-1) as string) as { otlp: string };
      const address = otlp.slice("http://".length);
      const taken = file(
        "taken.yaml",
        `receivers: { otlp: { protocols: { grpc: { enabled: false }, http: { endpoint: "${address}" } } } }\n` +
          "exporters: { prometheus: { endpoint: '127.0.0.1:0' } }\n" +
          "service: { storage: { directory: other } }\n",
      );
      expect(tidemark("receive", "--config", taken)).toMatchObject({
        status: 1,
        stderr:
          `tidemark: receivers.otlp.protocols.http.endpoint: ${address} is taken by ` +
          "another program; stop that one, or choose another port\n",
      });
      expect(tidemark("receive", "--config", yaml)).toMatchObject({
        status: 1,
        stderr:
          `tidemark: ${join(folder, "kept", "state.sqlite")}: is in use by another receiver; ` +
          "stop that one, or choose another service.storage.directory\n",
      });
    } finally {
      child.kill("SIGTERM");
    }
    expect(await exited).toBe(0);
  });
});
