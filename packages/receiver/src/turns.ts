/** Long work on the event loop that holds nobody up. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** How long parts are made before others have their turn. */
const TURN_MS = 5;

/**
 * The parts of something long, which are made while they are read. One of no bytes says that there
 * is none yet, and is left out.
 * @param isOver whether nobody waits for them any longer; asked now and then
 */
export async function* inTurns<T extends string | Uint8Array>(
  parts: Iterable<T>,
  isOver: () => boolean = () => false,
): AsyncGenerator<T> {
  let untilMs = performance.now() + TURN_MS;
  for (const part of parts) {
    if (part.length > 0) yield part;
    if (performance.now() < untilMs) continue;
    await nextTurn();
    if (isOver()) return;
    untilMs = performance.now() + TURN_MS;
  }
}
