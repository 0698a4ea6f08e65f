/**
 * Values that may be joined but not read leave the process as a keyed hash (HMAC-SHA-256): whoever
 * has not got the key cannot find out a value by hashing candidates.
 */
import { createHmac, randomBytes } from "node:crypto";
import { complain } from "./complain.js";

/** The variable that holds the key; every process whose hashes are to be joined needs the same. */
export const HASH_KEY_VARIABLE = "TIDEMARK_HASH_KEY";

/** 96 bits: two of a billion values are the same with a chance of 6e-12. */
const HASH_CHARS = 24;
const KEY_BYTES = 32;

let key: string | Buffer | undefined;

/** 24 hexadecimal digits. */
export function keyedHash(value: string): string {
  key ??= process.env[HASH_KEY_VARIABLE] || randomKey();
  return createHmac("sha256", key).update(value).digest("hex").slice(0, HASH_CHARS);
}

function randomKey(): Buffer {
  complain(
    `${HASH_KEY_VARIABLE} is not set: hashed values can be joined within this process only; ` +
      "set it to the same secret for all of them",
  );
  return randomBytes(KEY_BYTES);
}
