/** Reads the lines of the quick start's functions and checks them: each offset once, none left out, in order. */
export class DeliveryAudit {
  /** Batches by function. */
  readonly batches = new Map<string, number>();
  readonly lost: string[] = [];
  readonly repeated: string[] = [];
  readonly #next = new Map<string, number>();

  /** `12:00:00  orders-http    3 records  orders[0] 4-5  orders[2] 7-7` */
  read(line: string): void {
    const [, name = "", ranges = ""] = /^\S+ {2}(orders-\w+) +\d+ records? (.*)/.exec(line) ?? [];
    if (name === "") return;
    this.batches.set(name, (this.batches.get(name) ?? 0) + 1);
    for (const [range, partition, first, last] of ranges.matchAll(/(\S+\[\d+\]) (\d+)-(\d+)/g)) {
      const lane = `${name} ${partition}`;
      const next = this.#next.get(lane) ?? 0;
      if (Number(first) > next) this.lost.push(`${name} ${range}: expected ${next}`);
      if (Number(first) < next) this.repeated.push(`${name} ${range}: expected ${next}`);
      this.#next.set(lane, Math.max(next, Number(last) + 1));
    }
  }
}
