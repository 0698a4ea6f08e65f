/** The provisioned Grafana dashboards, as far as the tests look into them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG } from "./peer-stack.ts";

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string | { query: string } }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export interface Panel {
  readonly title: string;
  readonly datasource: Datasource;
  readonly targets: readonly { readonly expr: string; readonly datasource: Datasource }[];
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

/** A query as Grafana sends it, with the dashboard's variables set; others become "any". */
export function withVariables(expr: string, values: Readonly<Record<string, string>> = {}): string {
  const all: Readonly<Record<string, string>> = { __rate_interval: "1m", ...values };
  return expr.replaceAll(/\$(\w+)/g, (_, name: string) => all[name] ?? "any");
}
