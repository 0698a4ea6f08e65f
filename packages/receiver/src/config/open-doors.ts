/** Addresses that strangers reach, and where nothing asks who they are. */
import type { ParsedConfig } from "./schema.js";

type Locate = (path: readonly string[]) => string;

/** What is said of them: of those that take spans once for all, and of the one that shows them. */
export function openDoors(config: ParsedConfig, locate: Locate): string[] {
  return [...openReceivers(config, locate), ...openAdmin(config, locate)];
}

function openReceivers({ receivers }: ParsedConfig, locate: Locate): string[] {
  const { protocols } = receivers.otlp;
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

function openAdmin({ exporters, service }: ParsedConfig, locate: Locate): string[] {
  if (!service.pipelines.metrics.exporters.includes("prometheus")) return [];
  const { endpoint, auth } = exporters.prometheus;
  if (auth !== undefined || isLoopback(endpoint.host)) return [];
  const at = locate(["exporters", "prometheus", "endpoint"]);
  return [
    `${at}: anybody in the network may read the page, the API and the metrics; ` +
      "set exporters.prometheus.auth, or listen on 127.0.0.1",
  ];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
