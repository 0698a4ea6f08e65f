import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const node = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));
const run = fileURLToPath(new URL("../run.mjs", import.meta.url));
const RUNNING = /^Still running, until Ctrl-C: (http:\S+)$/m;

interface Named {
  readonly model: string;
}

test("the receiver's tokens and costs by tenant are those of the sheet", async () => {
  const child = spawn(node, [run, "--keep"], { timeout: 170_000 });
  const closed = once(child, "close");
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += String(chunk);
    if (RUNNING.test(stdout)) break;
  }
  const [, page = ""] = RUNNING.exec(stdout) ?? [];
  const said = (await (await fetch(`${page}/api/v1/models`)).json()) as { models: Named[] };
  expect(said.models.map(({ model }) => model)).toContain("gpt-4o-mini");
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-2) as string) as object;
  expect(last).toEqual({ example: "chat", chats: 60, equal: true });
  expect(stdout).toMatch(/time between tokens, mean: {2}[\d.]+ ms over 60 calls/);
}, 600_000);
