/** Where one event poller runs. */
export interface Placement {
  readonly mappingId: string;
  /** Number in the mapping, from 0. */
  readonly index: number;
  readonly nodeId: string;
}

/**
 * The board that a placement is worked out on: which event pollers are on which node, and how many each mapping has
 * there. Bookkeeping only; the moves are decided by `placeEventPollers`. Keeps every order by id, so that equal
 * input gives equal output.
 */
export class EventPollerBoard {
  readonly #nodes = new Map<string, Map<string, number[]>>();
  readonly #loads = new Map<string, number>();

  constructor(nodeIds: readonly string[]) {
    for (const nodeId of [...nodeIds].sort()) {
      this.#nodes.set(nodeId, new Map());
      this.#loads.set(nodeId, 0);
    }
  }

  get nodeIds(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  has(nodeId: string): boolean {
    return this.#nodes.has(nodeId);
  }

  load(nodeId: string): number {
    return this.#loads.get(nodeId) ?? 0;
  }

  /** How many event pollers of the mapping the node has. */
  count(nodeId: string, mappingId: string): number {
    return this.#nodes.get(nodeId)?.get(mappingId)?.length ?? 0;
  }

  mappingsOf(nodeId: string): Iterable<string> {
    return this.#nodes.get(nodeId)?.keys() ?? [];
  }

  add(nodeId: string, mappingId: string, index: number): void {
    const mappings = this.#nodes.get(nodeId);
    if (mappings === undefined) return;
    const indexes = mappings.get(mappingId);
    if (indexes === undefined) mappings.set(mappingId, [index]);
    else indexes.push(index);
    this.#loads.set(nodeId, this.load(nodeId) + 1);
  }

  /** Moves the mapping's event poller with the highest number. */
  move(mappingId: string, from: string, to: string): void {
    const mappings = this.#nodes.get(from);
    const indexes = mappings?.get(mappingId)?.sort((a, b) => a - b);
    const index = indexes?.pop();
    if (mappings === undefined || index === undefined) return;
    if (indexes?.length === 0) mappings.delete(mappingId);
    this.#loads.set(from, this.load(from) - 1);
    this.add(to, mappingId, index);
  }

  placements(): Placement[] {
    const all: Placement[] = [];
    for (const [nodeId, mappings] of this.#nodes) {
      for (const [mappingId, indexes] of mappings) {
        for (const index of indexes) all.push({ mappingId, index, nodeId });
      }
    }
    return all;
  }
}
