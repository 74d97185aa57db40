import type { Database } from "@penstock/postgres";
import { judgeNode, type NodeCondition } from "./judge-node.ts";

export interface NodeFacts {
  readonly nodeId: string;
  readonly kind: "poller" | "invoker";
  readonly condition: NodeCondition;
  readonly appliedGeneration: bigint;
}

interface Row {
  id: string;
  kind: "poller" | "invoker";
  is_draining: boolean;
  applied_generation: bigint;
  is_seen_lately: boolean;
}

/**
 * All nodes and how they are. For one vanishing time after the leader's election, and after each time that it could not reach the
 * database, nobody is declared gone: whoever refreshes `seen_at` may not have been able to either.
 */
export class NodeView {
  readonly #db: Database;
  readonly #vanishedMs: number;
  readonly #nowMs: () => number;
  #graceUntilMs = 0;
  #hadOutage = true;
  #nodes: readonly NodeFacts[] = [];

  constructor(db: Database, vanishedMs: number, nowMs: () => number) {
    this.#db = db;
    this.#vanishedMs = vanishedMs;
    this.#nowMs = nowMs;
  }

  get all(): readonly NodeFacts[] {
    return this.#nodes;
  }

  /** The database did not answer: grace starts anew when it does. */
  noteOutage(): void {
    this.#hadOutage = true;
  }

  async refresh(): Promise<void> {
    const rows = await this.#db.sql<Row[]>`
      select id, kind, is_draining, applied_generation,
             seen_at >= clock_timestamp() - ${this.#vanishedMs}::int * interval '1 millisecond'
               as is_seen_lately
        from nodes order by id`;
    const nowMs = this.#nowMs();
    if (this.#hadOutage) this.#graceUntilMs = nowMs + this.#vanishedMs;
    this.#hadOutage = false;
    const isGrace = nowMs < this.#graceUntilMs;
    this.#nodes = rows.map((row) => ({
      nodeId: row.id,
      kind: row.kind,
      condition: judgeNode(
        { isSeenLately: row.is_seen_lately, isDraining: row.is_draining },
        isGrace,
      ),
      appliedGeneration: row.applied_generation,
    }));
  }
}
