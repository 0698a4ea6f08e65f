/** `/api/v1/models`, `model`, `signal`, `health` and `openapi.json`: what the page is made from. */

import { healthDocument } from "../views/health-view.js";
import { modelDocument, modelsDocument } from "../views/model-view.js";
import { signalDocument } from "../views/signal-view.js";
import type { ModelPart, ViewSources } from "../views/view-sources.js";
import type { AdminAnswer } from "./admin-server.js";
import { openApiDocument } from "./open-api.js";
import { partOf, QueryError, rangeOf, signalQueryOf } from "./view-query.js";

type View = (sources: ViewSources, query: URLSearchParams) => Promise<object> | object;

const VIEWS: Readonly<Record<string, View>> = {
  models: modelsDocument,
  model: async (sources, query) => {
    const part = partOf(query, sources);
    const document = await modelDocument(sources, part, rangeOf(query, sources, part));
    return document ?? unknownPart(sources, part);
  },
  signal: async (sources, query) => {
    const wanted = signalQueryOf(query, sources);
    const document = await signalDocument(sources, wanted);
    return document ?? unknownSignal(sources, wanted, wanted.signal);
  },
  health: healthDocument,
  "openapi.json": openApiDocument,
};

/** Nobody has been seen by that name. */
class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
}

/** Answers requests for views; undefined when there is none of that name. */
export function viewApi(sources: ViewSources) {
  return async (name: string, query: URLSearchParams): Promise<AdminAnswer | undefined> => {
    const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
    if (view === undefined) return undefined;
    // A view looks at them more than once, and all that it says is of one moment.
    let verdicts: ReturnType<ViewSources["verdicts"]> | undefined;
    const momentary = { ...sources, verdicts: () => (verdicts ??= sources.verdicts()) };
    try {
      return { status: 200, body: await view(momentary, query) };
    } catch (error) {
      if (error instanceof QueryError) return { status: 400, body: { error: error.message } };
      if (error instanceof UnknownNameError) return { status: 404, body: { error: error.message } };
      throw error;
    }
  };
}

function unknownPart(sources: ViewSources, { model, version, segment }: ModelPart): never {
  const models = new Set(sources.models().map((one) => one.model));
  if (models.has(model)) {
    const which = [version && `version ${version}`, segment].filter(Boolean).join(", ");
    throw new UnknownNameError(`the model "${model}" has nothing of ${which || "that version"}`);
  }
  const seen = models.size > 0 ? `seen so far: ${[...models].join(", ")}` : "none was seen so far";
  throw new UnknownNameError(`no span has named the model "${model}"; ${seen}`);
}

function unknownSignal(sources: ViewSources, part: ModelPart, signal: string): never {
  const isSeen = sources.models().some((one) => one.model === part.model);
  if (!isSeen) unknownPart(sources, part);
  throw new UnknownNameError(`the model "${part.model}" has no signal "${signal}"`);
}
