/** What the values of a span's resource and scope are for; most have none for us. */
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS } from "../otlp/span-rows.js";
import type { SignalPlan } from "./signal-plan.js";
import { PURPOSE } from "./signal-plan.js";

/** Looks at a resource and a scope once for all spans that follow each other there. */
export class OuterPurposes {
  private readonly plan: SignalPlan;
  private resource = -1;
  private scope = -1;
  private purposes = 0;

  constructor(plan: SignalPlan) {
    this.plan = plan;
  }

  /** Other rows come: what was known of the last ones is nothing any more. */
  restart(): void {
    this.resource = this.scope = -1;
  }

  /** Purposes, one bit each. */
  of(rows: SpanRows, span: number): number {
    const resource = rows.resource[span] as number;
    const scope = rows.scope[span] as number;
    if (resource === this.resource && scope === this.scope) return this.purposes;
    this.resource = resource;
    this.scope = scope;
    const inResource = this.look(rows, rows.resourceFirst[resource], rows.resourceEnd[resource]);
    const inScope = this.look(rows, rows.scopeFirst[scope], rows.scopeEnd[scope]);
    // What a resource says of a call, such as the tenant, matters only to spans that are calls.
    this.purposes = (inResource | inScope) & ~PURPOSE.dialect;
    return this.purposes;
  }

  private look({ valueTag }: SpanRows, first = 0, end = 0): number {
    let purposes = 0;
    for (let at = first; at < end; at++) {
      purposes |= this.plan.purposeOf((valueTag[at] as number) >> TYPE_BITS);
    }
    return purposes;
  }
}
