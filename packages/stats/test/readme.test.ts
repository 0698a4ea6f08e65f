import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as stats from "../src/index.ts";

describe("the README", () => {
  it("shows an example that runs and prints what it says", () => {
    const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const said = /^\/\/ (.*)$/m.exec(example)?.[1];
    const body = example.replace(/^import .*$/m, "");
    const printed: string[] = [];
    const console = { log: (...parts: string[]) => printed.push(parts.join(" ")) };
    // oxlint-disable-next-line typescript/no-implied-eval -- the README's own code
    const run = new Function("console", ...Object.keys(stats), body);
    run(console, ...Object.values(stats));
    expect(printed).toEqual([said]);
  });
});
