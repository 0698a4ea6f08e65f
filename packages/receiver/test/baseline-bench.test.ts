import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("pnpm bench:baseline runs, and ends in one line of figures", () => {
  const bench = fileURLToPath(new URL("../bench/baseline.ts", import.meta.url));
  const args = [bench, "--rows", "2000"];
  const output = execFileSync(process.execPath, args, { encoding: "utf8" });
  const last = JSON.parse(output.trim().split("\n").at(-1) ?? "") as {
    bench: string;
    figures: Record<string, { value: number; goal: string; holds: boolean }>;
  };
  expect(last.bench).toBe("baseline");
  const figures = Object.values(last.figures);
  expect(figures.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  expect(figures).toHaveLength(4);
});
