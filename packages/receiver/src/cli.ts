#!/usr/bin/env node
/**
 * The command `tidemark`. Nothing is imported before the version of Node is known to be new enough:
 * an older one fails at the first module that it does not have.
 */
import process from "node:process";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 15)) {
  const { runCommandLine } = await import("./command-line.js");
  await runCommandLine(process.argv.slice(2));
} else {
  process.stderr.write(
    `tidemark: needs Node 22.15 or newer, not ${process.versions.node}; ` +
      "run it with a newer one, for example npx node@24\n",
  );
  process.exitCode = 1;
}
