#!/usr/bin/env node
// Compiles this folder into ../wasm/trace-reader.wasm, when that is older than the folder is. The
// tests, which run from the sources, call it before they start.
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const target = join(folder, "..", "wasm", "trace-reader.wasm");

// No garbage collector, since nothing is an object; pages of 64 KiB for the key cache and the first
// columns, to which memory adds by itself.
const OPTIONS = ["--runtime", "stub", "-O3", "--noAssert", "--initialMemory", "16"];

if (import.meta.main) await build();

export default async function build() {
  if (isCurrent()) return;
  mkdirSync(dirname(target), { recursive: true });
  const { default: asc } = await import("assemblyscript/asc");
  const source = join(relative(process.cwd(), folder), "trace.ts");
  const options = ["--baseDir", ".", "--outFile", relative(process.cwd(), target), ...OPTIONS];
  const { error } = await asc.main([source, ...options], { stderr: process.stderr });
  if (error) throw error;
}

function isCurrent() {
  const built = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(folder).every((file) => statSync(join(folder, file)).mtimeMs < built);
}
