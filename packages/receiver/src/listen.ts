import type { Server } from "node:net";

/** The base URL of a server; an IPv6 address stands in brackets. */
export function baseUrl(scheme: "http" | "https", host: string, port: number): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** An address that cannot be listened on; the message says which key names it and what to do. */
export class ListenError extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another program; stop that one, or choose another port",
  EACCES: "may not be used by this user; choose a port above 1023",
  EADDRNOTAVAIL: "is no address of this machine; choose one that is, such as 127.0.0.1",
  ENOTFOUND: "names a host that cannot be found; check the spelling",
};

/**
 * Resolves when the server listens.
 * @param key where the configuration names the address, for the message
 * @throws ListenError when the address cannot be used
 */
export async function listen(server: Server, host: string, port: number, key: string) {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = REASONS[error.code ?? ""] ?? `cannot be used: ${error.message}`;
      reject(new ListenError(`${key}: ${host}:${port} ${reason}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}
