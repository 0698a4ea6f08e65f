import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tidemark-cli-"));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function tidemark(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: "utf8",
    cwd: folder,
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

const training = file(
  "training.csv",
  [
    "wind,sky,when",
    ...Array.from({ length: 50 }, (_, i) => `${i / 10},${i % 3 ? "sun" : "rain"},`),
  ].join("\n"),
);

describe("tidemark baseline", () => {
  it("makes a reference of the columns of numbers, and shows what is in it", () => {
    const built = tidemark(
      "baseline",
      "build",
      training,
      "--model",
      "weather",
      "--out",
      "a.tidemark.json",
    );
    expect(built).toMatchObject({ status: 0, stderr: "" });
    expect(built.stdout).toContain(
      "columns taken: wind as feature.wind\n" +
        "columns left out: sky (text, which --category takes), when (no values)\n" +
        "warning: feature.wind has 50 values, too few to compare anything with by default",
    );
    const shown = tidemark("baseline", "show", "a.tidemark.json", "--json");
    const content = JSON.parse(shown.stdout) as { signals: Record<string, object> };
    expect(content.signals).toEqual({
      "feature.wind": expect.objectContaining({ kind: "numeric", count: 50, min: 0 }) as object,
    });
    expect(tidemark("baseline", "show", "a.tidemark.json").stdout).toContain(
      "model weather, any version",
    );
  });

  it("maps columns to features, classes and predictions", () => {
    const args = ["--feature", "wind=wind_speed", "--class", "sky", "--version", "3"];
    tidemark("baseline", "build", training, "--model", "w", "--out", "b.tidemark.json", ...args);
    const { stdout } = tidemark("baseline", "show", "b.tidemark.json", "--json");
    const content = JSON.parse(stdout) as { version: string; signals: object };
    expect(content.version).toBe("3");
    expect(Object.keys(content.signals)).toEqual(["feature.wind_speed", "prediction.class"]);
  });

  it.each([
    ["a missing file", ["nowhere.csv"], "nowhere.csv: cannot be read (ENOENT); check the path"],
    [
      "a file without a column of numbers",
      [file("text.csv", "a,b\nx,y\n")],
      "text.csv: no column holds numbers (columns: a, b)",
    ],
    [
      "a file without rows",
      [file("empty.csv", "a,b\n")],
      "empty.csv: has no rows below its header",
    ],
    [
      "a column that does not exist",
      [training, "--feature", "windy"],
      'training.csv:1: there is no column "windy"; the header has: wind, sky, when',
    ],
    [
      "a column without values",
      [training, "--feature", "when"],
      'training.csv: column "when" has no values',
    ],
    [
      "a cell that is no number",
      [file("mixed.csv", "a\n1\n2\nmany\n")],
      'mixed.csv:4: column "a": "many" is no number',
    ],
    [
      "a number that is none any more",
      [file("huge.csv", "a\n1\n1e999\n")],
      'huge.csv:3: column "a": "1e999" is too large for a number',
    ],
    [
      "two columns of one name",
      [file("twice.csv", "a,b,a\n1,2,3\n")],
      'twice.csv:1: two columns are called "a"; rename one of them',
    ],
    [
      "a file without a header",
      [file("bare.csv", "1,2.5\n3,4\n")],
      "bare.csv:1: the first row holds only numbers (1, 2.5); put a row with the columns' names",
    ],
    [
      "a column that is named twice",
      [training, "--feature", "wind", "--prediction", "wind"],
      'training.csv: column "wind" is named twice; name it once',
    ],
    [
      "a signal that two columns are to be",
      [training, "--feature", "wind=x", "--category", "sky=x"],
      "training.csv: two columns are to be feature.x; leave one out",
    ],
    [
      "a feature whose name an attribute has",
      [training, "--feature", "wind=source"],
      'training.csv: no span can carry a feature called "source": ml.feature.source means',
    ],
    [
      "rows of different lengths",
      [file("ragged.csv", "a,b\n1,2\n3\n")],
      "ragged.csv: is no well-formed CSV",
    ],
  ])("says file, line or column of %s", (_, args, complaint) => {
    const { status, stderr } = tidemark(
      "baseline",
      "build",
      ...args,
      "--model",
      "m",
      "--out",
      "x.json",
    );
    expect(stderr).toContain(complaint);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("takes the columns of numbers that no flag names for features", () => {
    const wide = file(
      "wide.csv",
      [
        "wind,source,,sky,p,yes",
        ...Array.from({ length: 300 }, (_, i) => `${i},1,1,sun,${i},y`),
      ].join("\n"),
    );
    const args = ["--prediction", "p", "--class", "yes"];
    const built = tidemark("baseline", "build", wide, "--model", "w", "--out", "e.json", ...args);
    expect(built.stdout).toContain(
      "columns taken: wind as feature.wind, p as prediction.value, yes as prediction.class\n" +
        "columns left out: source (a reserved name), number 3 (no name), sky (text, which --category",
    );
    const chosen = [...args, "--feature", "wind=w"];
    const narrow = tidemark(
      "baseline",
      "build",
      wide,
      "--model",
      "w",
      "--out",
      "f.json",
      ...chosen,
    );
    expect(narrow.stdout).toContain("wind as feature.w, p as prediction.value, yes as");
    expect(narrow.stdout).not.toContain("left out");
    expect(narrow.stdout).not.toContain("warning");
  });

  it("never writes the reference over the training data", () => {
    const link = join(folder, "link.csv");
    symlinkSync(training, link);
    const before = readFileSync(training, "utf8");
    const { status, stderr } = tidemark("baseline", "build", training, "--model", "w", "-o", link);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `tidemark: --out ${link}: is the training data itself; name another file\n`,
    });
    expect(readFileSync(training, "utf8")).toBe(before);
  });

  it("refuses a reference that is none, and one that has been damaged", () => {
    expect(tidemark("baseline", "show", file("no.json", "{}")).stderr).toContain(
      "no.json: format: ",
    );
    tidemark("baseline", "build", training, "--model", "w", "--out", "c.tidemark.json");
    const text = readFileSync(join(folder, "c.tidemark.json"), "utf8");
    const damaged = file(
      "d.tidemark.json",
      text.replace(/"summary": ".{60}/, (part) => part.slice(0, -8) + "AAAAAAAA"),
    );
    const { status, stderr } = tidemark("baseline", "show", damaged);
    expect(status).toBe(1);
    expect(stderr).toContain("d.tidemark.json: signals.feature.wind.summary: ");
  });
});

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
    expect(tidemark("--help").stdout).toContain("tidemark baseline build DATA.csv");
    expect(tidemark("observe").stderr).toBe(
      'tidemark: there is no command "observe"; see tidemark --help\n',
    );
    expect(tidemark("receive", "--colour").status).toBe(2);
    expect(tidemark("receive", "--json").stderr).toContain("receive takes no --json");
    expect(tidemark("baseline", "build", training).stderr).toContain(
      "needs --model NAME and --out FILE",
    );
    expect(tidemark("check-config").status).toBe(2);
  });

  it("checks a configuration with everything that it refers to", () => {
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
