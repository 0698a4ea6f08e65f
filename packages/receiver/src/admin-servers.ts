/** Where people and programs look in: the page, its API and the metrics, joined with the stages. */
import type { AdminSources } from "./admin/admin-server.js";
import { AdminServer } from "./admin/admin-server.js";
import { qualityMetrics } from "./admin/quality-metrics.js";
import { referenceApi } from "./admin/reference-api.js";
import type { StatusSources } from "./admin/status-api.js";
import { receiverStatus } from "./admin/status-api.js";
import type { Knowledge } from "./admin/verdict-api.js";
import { verdictApi } from "./admin/verdict-api.js";
import { viewApi } from "./admin/view-api.js";
import type { Config } from "./config/schema.js";
import { Cors } from "./cors.js";
import type { Logger } from "./logger.js";
import { receiverResource } from "./outputs.js";
import { createAuthenticator } from "./receive/authenticator.js";
import { pastOf } from "./views/past.js";
import type { ViewSources } from "./views/view-sources.js";
import { windowLengths } from "./window-lengths.js";

/** What the servers show. */
export interface AdminParts extends Knowledge, Omit<StatusSources, "startedMs"> {}

/**
 * One server, or none where nobody is to look in.
 * @throws CredentialError when tokens or users cannot be used
 */
export function createAdminServers(
  config: Config,
  parts: AdminParts,
  logger: Logger,
): AdminServer[] {
  if (!config.service.pipelines.metrics.exporters.includes("prometheus")) return [];
  const { metrics, ready, now, evaluator } = parts;
  const verdicts = verdictApi(parts, now);
  const startedMs = now();
  const views = viewApi({ ...viewSources(config, parts), startedMs });
  const { endpoint, cors, auth } = config.exporters.prometheus;
  const { "service.name": ownService = "" } = receiverResource(config);
  const sources: AdminSources = {
    metrics,
    startedMs,
    ready,
    api: async (name, query) => {
      if (name === "status") {
        return { status: 200, body: receiverStatus({ ...parts, startedMs }) };
      }
      if (name === "reference") return referenceApi(parts.observer, query, now());
      return (await verdicts(name, query)) ?? views(name, query);
    },
    quality: (query, base) => {
      const known = { verdicts: evaluator.verdicts(), models: parts.observer.observedModels() };
      const names = { ownService, playbooks: `${base}/playbooks` };
      return qualityMetrics({ ...known, ...names }, query, now());
    },
    cors: cors && new Cors(cors),
    authenticator: createAuthenticator(auth, "exporters.prometheus.auth"),
  };
  return [new AdminServer(endpoint.host, endpoint.port, sources, logger)];
}

/** What the page is made from. */
function viewSources(
  { processors, service }: Config,
  { metrics, ready, now, evaluator, observer, contributions }: AdminParts,
): Omit<ViewSources, "startedMs"> {
  const { windows, ladder } = processors.evaluate;
  const { jaeger, grafana } = service.links;
  return {
    now,
    ready,
    models: () => observer.observedModels(),
    verdicts: () => evaluator.verdicts(),
    origin: (verdict) => contributions.originOf(verdict),
    metrics,
    past: pastOf(observer, evaluator),
    windows: windowLengths(windows, ladder).filter(({ evaluated }) => evaluated),
    links: { jaeger: jaeger?.href ?? null, grafana: grafana?.href ?? null },
  };
}
