/** `scripts/run.mjs`, run in a tree of its own where the tools are stubs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("..", import.meta.url));
const tree = mkdtempSync(join(tmpdir(), "tidemark-run-"));
afterAll(() => rmSync(tree, { recursive: true }));

const DEMO = `
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    console.log("closed after " + signal);
    setTimeout(() => process.exit(7), 50);
  });
}
if (process.argv[2] === "die") process.kill(process.pid, "SIGKILL");
setInterval(() => {}, 1000);
console.log("ready");
`;

function write(path: string, text: string): void {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

mkdirSync(join(tree, "scripts"));
copyFileSync(join(root, "scripts/run.mjs"), join(tree, "scripts/run.mjs"));
for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) write(file, "{}");
for (const tool of ["tsc", "npx"]) write(`node_modules/.bin/${tool}`, "#!/bin/sh\nexit 0\n");
write("packages/instrumentation/scripts/bundle.mjs", "");
write("packages/receiver/assembly/build.mjs", "");
write("examples/weather/dist/demo.js", DEMO);

async function demo(argument: string, signal?: "SIGTERM" | "SIGINT") {
  const child = spawn(process.execPath, [join(tree, "scripts/run.mjs"), "demo", argument], {
    env: { PATH: [join(tree, "node_modules/.bin"), process.env["PATH"]].join(delimiter) },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (signal && stdout === "ready\n") child.kill(signal);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s to the task reaches the program, whose end and exit code are waited for",
  async (signal) => {
    const ended = await demo("stay", signal);
    expect(ended).toEqual({ code: 7, stdout: `ready\nclosed after ${signal}\n` });
  },
);

test("the program ends when the shell between npm and the task has ended", async () => {
  const task = `"${process.execPath}" "${join(tree, "scripts/run.mjs")}" demo stay`;
  const shell = spawn("/bin/sh", ["-c", `${task}; true`], {
    env: {
      PATH: [join(tree, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      npm_lifecycle_event: "demo",
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  shell.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout === "ready\n") shell.kill("SIGKILL");
  });
  // Closed once nobody has the pipe any more: neither the task nor its program is left.
  await once(shell, "close");
  expect(stdout).toBe("ready\nclosed after SIGTERM\n");
});

test("a program that a signal has ended fails the task with the shell's code for it", async () => {
  expect(await demo("die")).toMatchObject({ code: 128 + 9 });
});

test("packages are checked against the Node that is pinned, not the one that installs them", () => {
  const workspace = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")) as {
    readonly nodeVersion: string;
    readonly catalog: Readonly<Record<string, string>>;
  };
  expect(workspace.nodeVersion).toBe(workspace.catalog["node"]);
});
