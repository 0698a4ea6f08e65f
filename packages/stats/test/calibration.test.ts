import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

describe("the calibration", () => {
  it("finds every rate within its band and every goal met, in its quick form", () => {
    const run = fileURLToPath(new URL("../calibrate/run.ts", import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [run, "--quick"], {
      encoding: "utf8",
    });
    const failures = stdout.split("\n").filter((line) => line.startsWith("FAILS"));
    expect([stderr, failures, status]).toEqual(["", [], 0]);
  }, 600_000);
});
