// Installs both ends of the supported ranges, each from its own lockfile: about 1.5 GB, and so not
// part of the workspace. Install scripts are not run: onnxruntime-node's would fetch CUDA.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";

for (const end of ["lowest", "latest", "beside", "sdk-2", "../dialects", "../dialects/ai-6"]) {
  const folder = new URL(`./${end}/`, import.meta.url);
  const lock = readFileSync(new URL("package-lock.json", folder), "utf8");
  const stamp = new URL("node_modules/.installed-lock.json", folder);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) continue;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync(npm, args, { cwd: fileURLToPath(folder), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, lock);
}
