import { defineConfig } from "vitest/config";

// CI adds up several suites: it asks each for a report that a program can read.
const json = process.env["TIDEMARK_TEST_JSON"];

export default defineConfig({
  test: {
    globalSetup: "packages/receiver/assembly/build.mjs",
    include: [
      "packages/*/test/**/*.test.ts",
      "test/*.test.ts",
      "test/otlp-conformance/*.test.ts",
      "examples/*/test/**/*.test.ts",
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What a test waits for may come late on a busy machine; only what never comes is a failure.
    expect: { poll: { timeout: 20_000 } },
    pool: "forks",
    reporters: json ? ["default", "json"] : ["default"],
    ...(json ? { outputFile: { json } } : {}),
  },
});
