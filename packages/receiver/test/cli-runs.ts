/** Runs the command `tidemark` as people do: as a process, in a folder of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The program. */
export const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

/** A folder, and how to write a file into it and run a command in it. */
export function cliFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-cli-"));
  return {
    folder,
    file(name: string, content: string | Uint8Array): string {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    tidemark(...args: string[]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
        encoding: "utf8",
        cwd: folder,
        timeout: 60_000,
      });
      return { status, stdout, stderr };
    },
  };
}
