/**
 * Ports for programs that are told theirs. `listen(0)` would find one in the range from which the
 * system numbers outgoing connections, and any connection made before the program starts may take
 * it. These lie below that range on Linux, macOS and Windows.
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const FIRST = 12_000;
const END = 32_000;

/** Ports of 127.0.0.1 that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) found.add(await freePort());
  return [...found];
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return freePortBase(1);
}

/** The first of `count` ports in a row that nobody listens on. */
export async function freePortBase(count: number): Promise<number> {
  for (;;) {
    const base = randomInt(FIRST, END - count);
    const row = Array.from({ length: count }, (_, index) => isFree(base + index));
    if ((await Promise.all(row)).every(Boolean)) return base;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
