import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const node = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));
const run = fileURLToPath(new URL("../run.mjs", import.meta.url));

test("the receiver's tokens and costs by tenant are those of the sheet", async () => {
  const { stdout } = await promisify(execFile)(node, [run], { timeout: 170_000 });
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) as string) as object;
  expect(last).toEqual({ example: "chat", chats: 60, equal: true });
  expect(stdout).toMatch(/time between tokens, mean: {2}[\d.]+ ms over 60 calls/);
}, 600_000);
