/**
 * Says which peer tests `npm test` has left out, and how to run them. It runs after the last test,
 * directly by Node: its types are only erased.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith(".peer.test.ts"));
const purposes = files.map((name) => {
  const [, purpose = ""] =
    /^\/\*\* (.*?) \*\//s.exec(readFileSync(join(folder, name), "utf8")) ?? [];
  return `  test/peers/${name}\n    ${purpose}`;
});

console.log(`
Left out here: the ${files.length} files of peer tests. They run Jaeger, Prometheus, Alertmanager, the
OpenTelemetry Collector and its Python SDK, DataSketches and Evidently themselves, which this machine may not
have and which take about ten minutes to build, once, with Go, Python and Debian's tools:

${purposes.join("\n")}

To run them:
  test/peers/install.sh
  npm run test:peers
`);
