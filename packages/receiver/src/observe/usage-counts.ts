/** Tokens and money, added up by model, tenant and what they were: bounded, and cumulative. */
import type { Labels, NumberPoint } from "../metric-family.js";

/** Combinations of labels of one model; further tenants share {@link OTHER_TENANT}. */
const TENANTS_MAX = 500;
/** The label of tenants that have found no place of their own. */
export const OTHER_TENANT = "(other)";

/** One sum as it is stored. */
export type UsageItem = readonly [tenant: string, what: string, value: number];

/** The sums of one model; `what` is a type of token, or a currency. */
export class UsageCounts {
  private readonly tenants = new Map<string, Map<string, number>>();

  /** @returns false when the tenant shares a place with others */
  add(tenant: string, what: string, value: number): boolean {
    const known = this.tenants.get(tenant);
    if (known === undefined && this.tenants.size >= TENANTS_MAX && tenant !== OTHER_TENANT) {
      this.add(OTHER_TENANT, what, value);
      return false;
    }
    const sums = known ?? new Map<string, number>();
    sums.set(what, (sums.get(what) ?? 0) + value);
    this.tenants.set(tenant, sums);
    return true;
  }

  /** Points with the labels of the model, the tenant, and what is counted. */
  points(model: Labels, what: string): NumberPoint[] {
    return this.items().map(([tenant, name, value]) => {
      return { labels: { ...model, tenant, [what]: name }, value };
    });
  }

  /** Everything, to be stored. */
  items(): UsageItem[] {
    return [...this.tenants].flatMap(([tenant, sums]) =>
      [...sums].map(([what, value]): UsageItem => [tenant, what, value]),
    );
  }

  /** Takes up what {@link items} gave. */
  restore(items: readonly UsageItem[]): void {
    for (const item of items) this.add(...item);
  }
}
