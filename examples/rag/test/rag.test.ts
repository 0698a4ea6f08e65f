import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const node = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));
const run = fileURLToPath(new URL("../run.mjs", import.meta.url));

test("questions about something else drift what is found, and like questions do not", async () => {
  const { stdout } = await promisify(execFile)(node, [run], { timeout: 290_000 });
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) as string) as Record<string, string>;
  expect(last).toMatchObject({ example: "rag", moved: "drifted" });
  expect(last["control"]).not.toBe("drifted");
}, 300_000);
