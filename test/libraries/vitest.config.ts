import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const jsonFile = process.env["TIDEMARK_TEST_JSON"];

export default defineConfig({
  test: {
    root: fileURLToPath(new URL(".", import.meta.url)),
    include: ["*.libraries.test.ts"],
    // Some wait for whole windows of a receiver, beside whatever else the machine does.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    reporters: jsonFile ? ["default", ["json", { outputFile: jsonFile }]] : ["default"],
  },
});
