/**
 * The providers' libraries, in several versions at once. They weigh half a gigabyte and are wanted
 * by these tests alone, so they are no part of the workspace: the first test that asks for a folder
 * of versions installs it, once, from its own lockfile.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const sources = fileURLToPath(new URL("../providers/", import.meta.url));
const cache = fileURLToPath(new URL("../../../../.cache/providers/", import.meta.url));

/** Folders of versions, the newest first. */
export const ERAS = ["newest", "newer", "older", "oldest"] as const;
export type Era = (typeof ERAS)[number];

const POLL_MS = 500;
/** An installation that has left its lock behind for so long has died. */
const LOCK_AGE_MAX_MS = 600_000;
/** How long a test's preparation may take that installs, beside others that do, and runs programs. */
export const PREPARED_WITHIN_MS = 600_000;

/** Installs a folder of versions; returns where programs find them, with the programs in it. */
export async function installProviders(era: Era): Promise<string> {
  const folder = join(cache, era);
  const lockfile = readFileSync(join(sources, era, "package-lock.json"));
  const stamp = createHash("sha256").update(lockfile).digest("hex");
  const stampFile = join(folder, ".installed");
  const isInstalled = () => existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (!isInstalled()) {
    await alone(folder, async () => {
      if (isInstalled()) return;
      rmSync(join(folder, "node_modules"), { recursive: true, force: true });
      for (const file of ["package.json", "package-lock.json"]) {
        cpSync(join(sources, era, file), join(folder, file));
      }
      const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"];
      await promisify(execFile)("npm", ["ci", ...flags], { cwd: folder });
      writeFileSync(stampFile, stamp);
    });
  }
  cpSync(join(sources, "programs"), join(folder, "programs"), { recursive: true });
  return folder;
}

/** Several test files may want the same folder at the same time. */
async function alone(folder: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, ".lock");
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LOCK_AGE_MAX_MS) rmSync(lock, { recursive: true, force: true });
      await sleep(POLL_MS);
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
