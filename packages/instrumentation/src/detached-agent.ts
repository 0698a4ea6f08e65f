/** HTTP connections that are kept for the next batch, and never keep the process alive. */
import http from "node:http";
import https from "node:https";

const OPTIONS = { keepAlive: true };

/** An agent for `http:` or `https:`; its sockets do not count as something left to do. */
export function detachedAgent(protocol: string): http.Agent | https.Agent {
  const agent = protocol === "https:" ? new https.Agent(OPTIONS) : new http.Agent(OPTIONS);
  const { createConnection, reuseSocket } = agent;
  agent.createConnection = function (...args) {
    const socket = createConnection.apply(this, args);
    (socket as { unref?: () => void } | null | undefined)?.unref?.();
    return socket;
  };
  agent.reuseSocket = function (socket, request) {
    reuseSocket.call(this, socket, request);
    (socket as { unref?: () => void }).unref?.();
  };
  return agent;
}
