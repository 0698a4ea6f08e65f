/** Stands between an app and a server, and notes when what they say to each other passes. */
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** One request, and when each of the wanted words of its answer first passed. */
export interface Exchange {
  /** What the request says, as far as it has passed. */
  request: string;
  readonly requestMs: number;
  readonly wordsMs: number[];
  answered: boolean;
}

/** Passes connections on to a port of this machine; `exchanges` are in the order of their requests. */
export async function startWireClock(port: number, words: readonly string[]) {
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((app) => {
    const upstream = connect(port, "127.0.0.1");
    let current: Exchange | undefined;
    const pass = (from: Socket, to: Socket, note: (data: Buffer) => void) => {
      sockets.add(from.setNoDelay());
      from.on("data", (data: Buffer) => {
        note(data);
        to.write(data);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    };
    pass(app, upstream, (data) => {
      if (current === undefined || current.answered) {
        current = { request: "", requestMs: performance.now(), wordsMs: [], answered: false };
        exchanges.push(current);
      }
      current.request += data.toString("latin1");
    });
    pass(upstream, app, (data) => {
      if (current === undefined) return;
      current.answered = true;
      // Word by word: some answers repeat the whole text at their end.
      for (const word of words.slice(current.wordsMs.length)) {
        if (!data.includes(word)) break;
        current.wordsMs.push(performance.now());
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
