import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const jsonFile = process.env["TIDEMARK_TEST_JSON"];

export default defineConfig({
  test: {
    root: fileURLToPath(new URL(".", import.meta.url)),
    include: ["*.peer.test.ts"],
    // Beyond what several waits of one test or hook may take on a loaded machine, a minute each.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    // Each file starts several servers; one file at a time leaves them the machine.
    fileParallelism: false,
    reporters: jsonFile ? ["default", ["json", { outputFile: jsonFile }]] : ["default"],
  },
});
