/** The one way in which this package speaks: lines on stderr, few and each only once. */

import { writeSync } from "node:fs";

const STDERR = 2;
/** Different lines that are ever written; beyond it something repeats itself under new names. */
const LINES_MAX = 100;
const written = new Set<string>();

/** Writes one line to stderr; the same line a second time is left out. Never throws. */
export function complain(message: string): void {
  const line = message.replaceAll(/\s*\n\s*/g, " ");
  if (written.has(line) || written.size >= LINES_MAX) return;
  written.add(line);
  try {
    // Not process.stderr: if nobody reads it, that would fail later, as an error of the host's.
    writeSync(STDERR, `tidemark: ${line}\n`);
  } catch {
    // There is nobody left to tell.
  }
}

/** What went wrong, in a few words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same of a file that was to be read; it names the file once. */
export function fileProblem(file: string, error: unknown): string {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return `${file}: cannot be read (${code}); check the path`;
  const what = reason(error).trim();
  return what.startsWith(file) ? what : `${file}: ${what}`;
}

/**
 * Runs a hook's own work; an error in it is a bug of ours, is told once, and never reaches the
 * host.
 */
export function guarded<T>(what: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    complain(`${what} failed, the app is not affected: ${reason(error)}`);
    return undefined;
  }
}
