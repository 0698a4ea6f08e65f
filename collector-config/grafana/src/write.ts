/** Writes the dashboards that Grafana is provisioned with: `npm run dashboards`. */
import { writeFileSync } from "node:fs";
import { DASHBOARDS } from "./dashboards.ts";

for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  const file = new URL(`../dashboards/${name}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(dashboard, null, 2)}\n`);
}
