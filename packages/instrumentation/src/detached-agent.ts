/** HTTP connections that are kept for the next batch, and never keep the process alive. */
import type http from "node:http";
import type https from "node:https";

const OPTIONS = { keepAlive: true };

/** Node's own module for `http:` or `https:`. To import it would load undici too, for 20 ms. */
export function httpModule(protocol: string): typeof http | typeof https {
  return process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
}

/** An agent for `http:` or `https:`; its sockets do not count as something left to do. */
export function detachedAgent(protocol: string): http.Agent | https.Agent {
  const agent = new (httpModule(protocol).Agent)(OPTIONS);
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
