/** The provisioned Grafana dashboards, as far as the tests look into them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG } from "./peer-stack.ts";

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list: readonly { readonly query: string }[] };
}

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly datasource?: Datasource;
  readonly targets?: readonly { readonly expr: string; readonly datasource: Datasource }[];
}

export interface Datasource {
  readonly type: string;
  readonly uid: string;
}

/** Grafana's configuration folder. */
export const GRAFANA = join(CONFIG, "grafana");

export function readDashboards(): { readonly name: string; readonly dashboard: Dashboard }[] {
  const folder = join(GRAFANA, "dashboards");
  return readdirSync(folder).map((name) => ({
    name,
    dashboard: JSON.parse(readFileSync(join(folder, name), "utf8")) as Dashboard,
  }));
}

/** Every query of a dashboard's panels, with the panel that shows it. */
export function queriesOf({ panels }: Dashboard): { title: string; expr: string }[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}

/** A query as Grafana sends it, with the dashboard's variables set; others become "any". */
export function withVariables(expr: string, values: Readonly<Record<string, string>> = {}): string {
  return expr.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? "any");
}
