/** Panels and dashboards in the house's manner, so that the dashboards are little but queries. */
import * as common from "@grafana/grafana-foundation-sdk/common";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapPanel } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatPanel } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TablePanel } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesPanel } from "@grafana/grafana-foundation-sdk/timeseries";

export const PROMETHEUS = { type: "prometheus", uid: "prom" };

/** One query and what its series are called. */
export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

/** What all panels have. */
export interface PanelSpec {
  readonly title: string;
  /** What the picture means, and what to make of it. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** Grafana's name of the unit. */
  readonly unit?: string;
  /** Of 24 columns. */
  readonly width?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A line over time; with exemplars where the series are buckets. */
export function lines(spec: PanelSpec, exemplars = false): TimeseriesPanel {
  const panel = framed(new TimeseriesPanel(), spec)
    .legend(legend())
    .showPoints(common.VisibilityMode.Never);
  return withQueries(panel, spec, (query) => query.range().exemplar(exemplars));
}

/** States over time as steps between 0 and 1. */
export function steps(spec: PanelSpec): TimeseriesPanel {
  return lines({ min: 0, max: 1, ...spec })
    .lineInterpolation(common.LineInterpolation.StepAfter)
    .fillOpacity(30);
}

/** A number as it is now. */
export function number(spec: PanelSpec): StatPanel {
  const panel = framed(new StatPanel(), { width: 4, ...spec }).height(4);
  return withQueries(panel, spec, (query) => query.instant());
}

/** Buckets of a classic histogram over time. */
export function heatmap(spec: PanelSpec): HeatmapPanel {
  const panel = framed(new HeatmapPanel(), spec).calculate(false);
  return withQueries(panel, spec, (query) => query.range().format(PromQueryFormat.Heatmap));
}

/** Series as rows. */
export function table(spec: PanelSpec): TablePanel {
  const panel = framed(new TablePanel(), spec);
  return withQueries(panel, spec, (query) => query.instant().format(PromQueryFormat.Table));
}

/** A row of panels. */
export interface Section {
  readonly title: string;
  readonly panels: readonly (TimeseriesPanel | StatPanel | HeatmapPanel | TablePanel)[];
}

/** A choice of label values. */
export interface Choice {
  readonly name: string;
  readonly label: string;
  /** Such as `label_values(metric, label)`. */
  readonly query: string;
  /** Several at once, and all of them to begin with. */
  readonly many?: boolean;
}

/** A whole dashboard; its queries may name the choices, as in `{model_name="$model"}`. */
export function dashboard(
  uid: string,
  title: string,
  description: string,
  choices: readonly Choice[],
  sections: readonly Section[],
): Dashboard {
  const builder = new DashboardBuilder(`Tidemark: ${title}`)
    .uid(`tidemark-${uid}`)
    .description(description)
    .tags(["tidemark"])
    .refresh("30s")
    .time({ from: "now-3h", to: "now" })
    .timezone("browser")
    .readonly();
  for (const choice of choices) builder.withVariable(variable(choice));
  for (const [text, url] of Object.entries(LINKS)) {
    const link = new DashboardLinkBuilder(text).type(DashboardLinkType.Link).url(url);
    builder.link(link.targetBlank(true));
  }
  const siblings = new DashboardLinkBuilder("Tidemark").type(DashboardLinkType.Dashboards);
  builder.link(siblings.tags(["tidemark"]).asDropdown(true).keepTime(true));
  for (const section of sections) {
    builder.withRow(new RowBuilder(section.title));
    for (const panel of section.panels) builder.withPanel(panel);
  }
  return withoutDefunct(builder.build());
}

/** What the builders write as defaults, and Grafana's schema has no more since version 13. */
const DEFUNCT: ReadonlySet<string> = new Set(["auto", "auto_min", "auto_count", "footer"]);

function withoutDefunct(made: Dashboard): Dashboard {
  return JSON.parse(JSON.stringify(made, keptValue)) as Dashboard;
}

function keptValue(key: string, value: unknown): unknown {
  return DEFUNCT.has(key) ? undefined : value;
}

const LINKS = {
  Jaeger: "http://localhost:16686",
  Alerts: "http://localhost:9093",
  Playbooks: "http://localhost:9464/playbooks",
};

function variable({ name, label, query, many = false }: Choice): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .datasource(PROMETHEUS)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    // oxlint-disable-next-line unicorn/no-array-sort -- a builder, and no array
    .sort(VariableSort.AlphabeticalAsc);
  if (!many) return builder;
  return builder.multi(true).includeAll(true).current({ text: "All", value: "$__all" });
}

function legend(): common.VizLegendOptionsBuilder {
  return new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true);
}

type AnyPanel = TimeseriesPanel | StatPanel | HeatmapPanel | TablePanel;

function framed<P extends AnyPanel>(panel: P, spec: PanelSpec): P {
  panel.title(spec.title).description(spec.description).datasource(PROMETHEUS);
  panel.height(8).span(spec.width ?? 12);
  if (spec.unit !== undefined) panel.unit(spec.unit);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  return panel;
}

function withQueries<P extends AnyPanel>(
  panel: P,
  { queries }: PanelSpec,
  finish: (query: DataqueryBuilder) => DataqueryBuilder,
): P {
  for (const [at, { expr, legend: legendFormat }] of queries.entries()) {
    const query = new DataqueryBuilder().expr(expr).datasource(PROMETHEUS);
    query.refId(String.fromCodePoint(65 + at));
    if (legendFormat !== undefined) query.legendFormat(legendFormat);
    panel.withTarget(finish(query));
  }
  return panel;
}
