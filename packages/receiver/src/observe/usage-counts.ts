/** Tokens and money, added up by model, tenant and what they were: bounded, and cumulative. */
import type { Labels, NumberPoint } from "../metric-family.js";

/** Tenants of all models that have a place of their own; about 200 bytes each. */
const TENANTS_MAX = 10_000;
/** Longer names share the place of the others. */
export const TENANT_LENGTH_MAX = 256;
/** The label of tenants that have found no place of their own. */
export const OTHER_TENANT = "(other)";

/** One sum as it is stored. */
export type UsageItem = readonly [tenant: string, what: string, value: number];

/** How many more tenants may have a place: shared by the sums of all models. */
export interface TenantRoom {
  left: number;
}

/** Room for as many as there may be, of each kind of sum. */
export function tenantRooms() {
  return {
    tokens: { left: TENANTS_MAX },
    costs: { left: TENANTS_MAX },
    unpriced: { left: TENANTS_MAX },
  };
}

/** The sums of one model; `what` is a type of token, or a currency. */
export class UsageCounts {
  private readonly tenants = new Map<string, Map<string, number>>();
  private readonly room: TenantRoom;

  constructor(room: TenantRoom) {
    this.room = room;
  }

  /** @returns false when the tenant shares a place with others */
  add(tenant: string, what: string, value: number): boolean {
    let sums = this.tenants.get(tenant);
    if (sums === undefined) {
      // A model whose spans name no tenant takes nobody's place.
      const isNamed = tenant !== "" && tenant !== OTHER_TENANT;
      if (isNamed && (this.room.left === 0 || tenant.length > TENANT_LENGTH_MAX)) {
        this.add(OTHER_TENANT, what, value);
        return false;
      }
      if (isNamed) this.room.left--;
      sums = new Map();
      this.tenants.set(tenant, sums);
    }
    sums.set(what, (sums.get(what) ?? 0) + value);
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
