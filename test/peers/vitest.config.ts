import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const jsonFile = process.env["TIDEMARK_TEST_JSON"];

export default defineConfig({
  test: {
    root: fileURLToPath(new URL(".", import.meta.url)),
    include: ["*.peer.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    // Each file starts several servers; one file at a time leaves them the machine.
    fileParallelism: false,
    reporters: jsonFile ? ["default", ["json", { outputFile: jsonFile }]] : ["default"],
  },
});
