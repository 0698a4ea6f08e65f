/** Addresses that strangers reach, and where nothing asks who they are. */
import type { OtlpReceiverConfig } from "./otlp-receiver-schema.js";

/** What is said of them, once for all; nothing when there are none. */
export function openDoors(
  { protocols }: OtlpReceiverConfig,
  locate: (path: readonly string[]) => string,
): string[] {
  const open = Object.entries(protocols).filter(([, { enabled, endpoint, auth, tls }]) => {
    return enabled && !isLoopback(endpoint.host) && auth === undefined && tls === undefined;
  });
  const [first] = open;
  if (first === undefined) return [];
  const path = ["receivers", "otlp", "protocols", first[0], "endpoint"];
  const keys = open.map(([name]) => `receivers.otlp.protocols.${name}`).join(" and ");
  return [
    `${locate(path)}: anybody in the network may send to ${keys}, and read what others send; ` +
      "set tls and auth there, or listen on 127.0.0.1",
  ];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
