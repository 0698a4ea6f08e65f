/** `tidemark report` and `compare --html`: files that need nothing else. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PageReceiver } from "../bench/page-receiver.ts";
import { showcase, startPageReceiver } from "../bench/page-receiver.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const STRANGE = "<img src=x onerror=alert(1)>";
const START_MS = Date.UTC(2026, 10, 23);
const YAML = "processors: { learn: { samples: 4000, span: 0s }, evaluate: { dependence: none } }\n";

describe("tidemark report", () => {
  let receiver: PageReceiver;
  const folder = mkdtempSync(join(tmpdir(), "tidemark-report-"));

  beforeAll(async () => {
    receiver = await startPageReceiver(YAML, START_MS);
    await showcase(receiver, 12, STRANGE);
  });
  afterAll(async () => {
    await receiver.stop();
    rmSync(folder, { recursive: true });
  });

  function report(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((resolve) => {
      const command = [CLI, "report", "--url", receiver.url, ...args];
      const options = { maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(process.execPath, command, options, (_error, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      });
    });
  }

  it("writes one file with pictures, that runs nothing and asks for nothing", async () => {
    const file = join(folder, "churn.html");
    const { code, err } = await report("--model", "churn", "--model-version", "3.1", "-o", file);
    expect([code, err]).toEqual([0, ""]);
    const html = readFileSync(file, "utf8");
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain("1 of 7 signals drifted");
    for (const picture of ["density", "cumulative", "categories", "quantiles", "ridges", "strip"]) {
      expect(html, picture).toMatch(new RegExp(`<svg class="[^"]*\\b${picture}\\b`));
    }
    expect(html).not.toMatch(/<script|<link|<img|\ssrc=|@import|url\(/);
    const [, style = ""] = /<style>(.*)<\/style>/s.exec(html) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(html).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
    expect(html).not.toContain(" style=");
  });

  it("writes names as text", async () => {
    const { out } = await report("--model", STRANGE);
    expect(out).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(out).not.toContain(STRANGE);
  });

  it("writes Markdown for a comment and JSON for programs", async () => {
    const markdown = await report("--model", "churn", "--model-version", "3.1", "--markdown");
    expect(markdown.out).toMatch(/^\*\*churn 3\.1: 1 of 7 signals drifted\*\*/);
    expect(markdown.out).toContain("| feature.tenure_months | drifted |");
    const { out } = await report("--model", "churn", "--model-version", "3.1", "--json");
    const { model, signals } = JSON.parse(out) as { model: object; signals: object[] };
    expect(model).toMatchObject({ model: "churn", version: "3.1" });
    expect(signals).toHaveLength(7);
  });

  it.each([
    [["--model", "nope"], 1, 'no span has named the model "nope"; seen so far: churn'],
    [["--model", "churn", "--window", "7m"], 1, "window: there is none of 7m"],
    [["--model", "churn", "--url", "http://127.0.0.1:1"], 1, "no receiver answers at"],
    [[], 2, "report needs --model NAME"],
    [["--model", "churn", "--json", "--markdown"], 2, "choose one of --json"],
    [["--model", "churn", "extra"], 2, 'report does not know what "extra" is'],
  ])("with %j says what is wrong", async (args, code, message) => {
    const failed = await report(...args);
    expect(failed.err).toContain(message);
    expect(failed.code).toBe(code);
  });
});
