/**
 * What Grafana's own schema package says a dashboard file is: its types, with what JSON makes of
 * them, and each kind of panel with the options that are its own. Knows the kinds that our
 * dashboards are made of; a panel of any other kind is an error.
 */
import type { Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type * as heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** A file in `collector-config/grafana/dashboards`. */
export type DashboardFile = Json<Omit<Dashboard, "panels">> & {
  panels: (
    | Json<RowPanel>
    | PanelFile<"timeseries", timeseries.Options, timeseries.FieldConfig>
    | PanelFile<"heatmap", heatmap.Options, heatmap.FieldConfig>
    | PanelFile<"table", table.Options, table.FieldConfig>
    | PanelFile<"stat", stat.Options, Record<string, never>>
  )[];
};

type PanelFile<Type extends string, Options, Custom> = Json<
  Omit<Panel, "type" | "options" | "fieldConfig">
> & {
  type: Type;
  options: Json<Options>;
  fieldConfig?: Json<Omit<FieldConfigSource, "defaults">> & {
    // Panels fill in what is left out of a field's looks.
    defaults: Json<Omit<FieldConfig, "custom">> & { custom?: Partial<Json<Custom>> };
  };
};

/** Enumerations are their values, as text and as numbers. */
type Json<T> = 0 extends 1 & T
  ? T
  : T extends string
    ? `${T}`
    : T extends number
      ? Value<`${T}`>
      : T extends readonly (infer Item)[]
        ? Json<Item>[]
        : T extends object
          ? { [Key in keyof T]: Json<T[Key]> }
          : T;

type Value<Text extends string> = Text extends `${infer Number extends number}` ? Number : never;
