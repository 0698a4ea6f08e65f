/**
 * What `node --require @tidemark/instrumentation/register app.js` loads, before the app, in every
 * thread. CommonJS, because only that reaches CommonJS apps, ES modules and worker threads alike.
 */
const fs = require("node:fs") as typeof import("node:fs");
const workerThreads = require("node:worker_threads") as { isInternalThread?: boolean };

const GUARD = Symbol.for("tidemark.instrumentation.registered");
const NODE_MIN = [22, 15] as const;

/** Node runs loader hooks in a thread of its own, which has nothing to instrument. */
const { isInternalThread = false } = workerThreads;
const globals = globalThis as { [GUARD]?: true };

if (!isInternalThread && globals[GUARD] === undefined) {
  globals[GUARD] = true;
  start();
}

function start(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    tell(`Node ${process.versions.node} is older than ${NODE_MIN.join(".")}`);
    return;
  }
  try {
    const { startInstrumentation } = require("./start.js") as typeof import("./start.js");
    startInstrumentation();
  } catch (error) {
    tell(String(error));
  }
}

function tell(why: string): void {
  try {
    fs.writeSync(2, `tidemark: not instrumented: ${why}\n`);
  } catch {
    // There is nobody left to tell.
  }
}
