/** What the values of a span's resource and scope are for; most have none for us. */
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS } from "../otlp/span-rows.js";
import type { SignalPlan } from "./signal-plan.js";
import { PURPOSE } from "./signal-plan.js";

/** Remembers them from one span to the next, as neighbours share their resource and scope. */
export class OuterPurposes {
  private readonly plan: SignalPlan;
  private resource = -1;
  private scope = -1;
  private purposes = 0;

  constructor(plan: SignalPlan) {
    this.plan = plan;
  }

  /** Begins with other rows. */
  restart(): void {
    this.resource = this.scope = -1;
  }

  /** The bits of {@link PURPOSE} that values around a span have. */
  of(rows: SpanRows, span: number): number {
    const resource = rows.resource[span] as number;
    const scope = rows.scope[span] as number;
    if (resource === this.resource && scope === this.scope) return this.purposes;
    this.resource = resource;
    this.scope = scope;
    const { plan } = this;
    let purposes = 0;
    const look = (first = 0, end = 0) => {
      for (let at = first; at < end; at++) {
        purposes |= plan.purposeOf((rows.valueTag[at] as number) >> TYPE_BITS);
      }
    };
    look(rows.resourceFirst[resource], rows.resourceEnd[resource]);
    look(rows.scopeFirst[scope], rows.scopeEnd[scope]);
    // What a resource says of a call, such as the tenant, matters only to spans that are calls.
    this.purposes = purposes & ~PURPOSE.dialect;
    return this.purposes;
  }
}
