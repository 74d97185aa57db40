import type { ArnScope } from "@penstock/core";
import type { FilterSeal } from "../seal/filter-seal.ts";

/** What the store needs to know of the installation. */
export interface StoreContext {
  readonly scope: ArnScope;
  readonly filters: FilterSeal;
}
