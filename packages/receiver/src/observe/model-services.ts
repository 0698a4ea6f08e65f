/** Which services have a model: in Jaeger people look for it by the service of its spans. */
import type { SpanRows } from "../otlp/span-rows.js";
import type { ObservedModel } from "./observed-model.js";
import type { SpanHeads } from "./span-heads.js";

/** Services of one model that are known; about 100 bytes each. */
const SERVICES_MAX = 100;

/** Takes note of the services of spans that name a model. */
export class ModelServices {
  /** Spans whose service found no place. */
  overflowCount = 0;
  private readonly heads: SpanHeads;
  /** The last span's: what follows it most likely has both in common with it. */
  private resource = -1;
  private model: ObservedModel | undefined;

  constructor(heads: SpanHeads) {
    this.heads = heads;
  }

  /** Belongs before the spans of each request, whose resources are numbered anew. */
  beginRequest(): void {
    this.resource = -1;
  }

  /** The span is one of the model's. */
  note(rows: SpanRows, span: number, model: ObservedModel): void {
    const resource = rows.resource[span] as number;
    if (resource === this.resource && model === this.model) return;
    this.resource = resource;
    this.model = model;
    const service = this.heads.serviceName(rows, span);
    if (service === undefined || model.services.has(service)) return;
    if (model.services.size < SERVICES_MAX) model.services.add(service);
    else this.overflowCount++;
  }
}
