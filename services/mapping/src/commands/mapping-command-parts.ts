import type { ArnScope, Clock, MappingRules, SourceAccess } from "@penstock/core";
import type { Caller } from "@penstock/runtime";
import type { FilterSeal } from "../seal/filter-seal.ts";
import type { OnceParts } from "./once.ts";

/** What the commands are made of. */
export interface MappingCommandParts extends OnceParts {
  readonly scope: ArnScope;
  readonly filters: FilterSeal;
  readonly clock: Pick<Clock, "wallMs">;
  /** The installation's share of the rules. */
  readonly rules: Omit<MappingRules, "nowMs" | "kmsKeyArns">;
  /** A new UUID v4. */
  readonly newId: () => string;
  /**
   * Whether this caller may use these secrets with these brokers; asked when either is sent. Default: everybody may.
   *
   * @throws PenstockError `secretDenied`.
   */
  readonly checkSource?: (
    caller: Caller,
    access: readonly SourceAccess[],
    bootstrapServers: readonly string[],
  ) => Promise<void>;
}

export function rulesNow({ rules, filters, clock }: MappingCommandParts): MappingRules {
  return { ...rules, kmsKeyArns: filters.arns, nowMs: clock.wallMs() };
}
