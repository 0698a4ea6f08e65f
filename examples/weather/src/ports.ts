/** The ports that the demo listens on, all on loopback. */
import { createServer } from "node:net";

export const HOST = "127.0.0.1";

/** One port for each server. */
export interface Ports {
  readonly prediction: number;
  readonly feature: number;
  /** The receiver: where spans go, and where metrics and verdicts come from. */
  readonly otlp: number;
  readonly admin: number;
}

const DEFAULTS: Ports = { prediction: 8080, feature: 8081, otlp: 4318, admin: 9464 };

/** The usual ports, or four in a row from `base`. */
export function choosePorts(base: number | undefined): Ports {
  if (base === undefined) return DEFAULTS;
  return { prediction: base, feature: base + 1, otlp: base + 2, admin: base + 3 };
}

/** Those that something else listens on. */
export async function takenPorts(ports: Ports): Promise<number[]> {
  const all: number[] = Object.values(ports);
  const free = await Promise.all(all.map(isFree));
  return all.filter((_, index) => !free[index]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}
