import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FIXTURES, NODES, REGISTER, runApp } from "./run-app.js";

const cwd = join(FIXTURES, "programs");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
const env = { OTEL_TRACES_EXPORTER: "none" };

/** Command lines after the flag, and what is written to the program's input. */
const PROGRAMS: [string, string[], string?][] = [
  ["a CommonJS program", ["main.cjs"]],
  ["a program of ES modules", ["esm/main.js"]],
  ["a program without an extension", ["cjs/cli"]],
  ["a module without an extension", ["esm/cli"]],
  ["TypeScript", ["--no-warnings", "typed.ts"]],
  ["loader hooks of its own", ["own-hooks.mjs"]],
  ["workers and children", ["workers.cjs"]],
  ["-e", ["-e", "console.log(typeof require('os').EOL, os.EOL.length, __filename)"]],
  ["-p", ["-p", "module.paths.length > 0"]],
  [
    "-e of a module",
    ["--input-type=module", "-e", "import os from 'os'; console.log(typeof os.EOL)"],
  ],
  ["a program on its input", ["-"], "console.log(typeof require('path').join)"],
  ["a session", ["-i"], "os.EOL.length\nawait import('node:path').then((m) => typeof m.join)\n"],
  ["a syntax check", ["--check", "main.cjs"]],
  ["its version", ["--version"]],
];

describe.each(versions)("on Node %i the flag changes nothing of", (node) => {
  test.each(PROGRAMS)("%s", async (_, args, input) => {
    const options = { node, cwd, env, ...(input !== undefined && { input }) };
    const plain = await runApp(args, { ...options, flags: ["--require", "node:os"] });
    expect(plain, plain.stderr).toMatchObject({ code: 0 });
    const { stdout, stderr, code } = await runApp(args, {
      ...options,
      flags: ["--require", REGISTER],
    });
    expect({ stdout, stderr, code }).toEqual({
      stdout: plain.stdout,
      stderr: plain.stderr,
      code: 0,
    });
  });

  test("the test runner", async () => {
    const { code, stdout } = await runApp(["--test", "suite.cjs"], { node, cwd, env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/pass 1/);
  });
});

test("a Node that is too old is told so in one line, and runs the program", async () => {
  const flags = ["--require", join(FIXTURES, "old-node.cjs"), "--require", REGISTER];
  const { stdout, stderr, code } = await runApp("cjs/cli", { cwd, flags });
  expect({ stdout, code }).toEqual({
    stdout: "an extensionless program true string\n",
    code: 0,
  });
  expect(stderr).toBe("tidemark: not instrumented: Node 20.20.0 is older than 22.15\n");
});
