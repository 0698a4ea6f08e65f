/** Files that hold secrets: read with a complaint that names the key, and read again on change. */
import { readFileSync, unwatchFile, watchFile } from "node:fs";

/** A credential cannot be used; the message names key and file, and says what to do. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
}

/**
 * The content of a file that the configuration names.
 * @throws CredentialError when it cannot be read
 */
export function readCredential(key: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CredentialError(`${key}: ${file}: cannot be read (${code}); check the path`);
  }
}

/**
 * Calls back when any of the files has changed. They are looked at rather than subscribed to, which
 * also sees the swapped links of a mounted secret.
 * @returns what ends it
 */
export function watchCredentials(
  files: readonly string[],
  intervalMs: number,
  onChange: () => void,
): () => void {
  const options = { interval: intervalMs, persistent: false };
  for (const file of files) watchFile(file, options, onChange);
  return () => {
    for (const file of files) unwatchFile(file, onChange);
  };
}
