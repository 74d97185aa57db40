/**
 * What a function remembers and says about its batches.
 *
 * Delivery is at least once: after a crash a batch can come again. Topic, partition and offset name a record for ever, and
 * offsets ascend within a partition, so remembering the last one is enough to notice a repetition; one for each
 * mapping, since two mappings may well deliver the same record. This memory ends with the process. A real function keeps
 * the offset where its results are, written in the same transaction.
 */
const lastOffsets = new Map<string, bigint>();

export class BatchSummary {
  readonly #ranges = new Map<string, { first: bigint; last: bigint }>();
  readonly #mapping: string;
  #records = 0;
  #repeated = 0;

  /** `mapping`: what the call says in `penstock-mapping-id`. */
  constructor(mapping: string) {
    this.#mapping = mapping;
  }

  /** Counts a record and runs `work` unless the record was handled before. */
  handle(topic: string, partition: number, offset: bigint, work: () => void): void {
    const name = `${topic}[${partition}]`;
    const range = this.#ranges.get(name) ?? { first: offset, last: offset };
    range.last = offset;
    this.#ranges.set(name, range);
    this.#records++;
    const memory = `${this.#mapping} ${name}`;
    if (offset <= (lastOffsets.get(memory) ?? -1n)) {
      this.#repeated++;
      return;
    }
    work();
    lastOffsets.set(memory, offset);
  }

  /** One line, such as `12 records  orders[0] 40-46  orders[3] 7-11`. */
  toString(): string {
    const ranges = [...this.#ranges].map(([name, { first, last }]) => `${name} ${first}-${last}`);
    const count = `${this.#records} record${this.#records === 1 ? "" : "s"}`;
    const repeated = this.#repeated === 0 ? [] : [`(${this.#repeated} seen before)`];
    return [count, ...ranges, ...repeated].join("  ");
  }
}
