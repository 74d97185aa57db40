/** Which versions of which requests a broker offers on one connection, as its answer to ApiVersions says. */

export interface ApiRange {
  readonly min: number;
  readonly max: number;
}

/** Newest version to use of an API, by its key; below 0: not at all. For tests of what older brokers are asked. */
export type ApiVersionsMax = Readonly<Record<number, number>>;

export class ApiRanges {
  readonly #ranges: ReadonlyMap<number, ApiRange>;
  readonly #versionsMax: ApiVersionsMax;

  constructor(ranges: ReadonlyMap<number, ApiRange>, versionsMax: ApiVersionsMax = {}) {
    this.#ranges = ranges;
    this.#versionsMax = versionsMax;
  }

  /** Highest version that is offered and at most `versionMax`; -1 when none. */
  best(apiKey: number, versionMax: number): number {
    const range = this.#ranges.get(apiKey);
    const highest = Math.min(versionMax, this.#versionsMax[apiKey] ?? versionMax);
    return range && range.min <= highest ? Math.min(range.max, highest) : -1;
  }
}

/** For `ask` on a connection that no cluster has yet. */
export function versionsOf(ranges: ApiRanges): {
  apiVersion(connection: unknown, apiKey: number, versionMax: number): number;
} {
  return { apiVersion: (_, apiKey, versionMax) => ranges.best(apiKey, versionMax) };
}
