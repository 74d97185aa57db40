import { create } from "@bufbuild/protobuf";
import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import type { FilterSeal } from "../../seal/filter-seal.ts";
import type { FleetLog } from "../fleet-log.ts";
import { RepeatedWork } from "../repeated-work.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import type { NodeStreams } from "../streams/node-streams.ts";
import { readAssignments, readGenerations } from "./read-assignments.ts";

/**
 * Tells each poller node what to run: at its join, and whenever its generation has risen. One small statement finds out for all
 * nodes of the replica. While the database is away nodes are told nothing, and so go on.
 */
export class AssignmentFeed extends RepeatedWork {
  readonly #db: Database;
  readonly #streams: NodeStreams;
  readonly #filters: Pick<FilterSeal, "open">;

  constructor(options: {
    db: Database;
    streams: NodeStreams;
    filters: Pick<FilterSeal, "open">;
    log: FleetLog;
    intervalMs: number;
  }) {
    super({
      name: "reading assignments",
      intervalMs: options.intervalMs,
      log: options.log,
    });
    this.#db = options.db;
    this.#streams = options.streams;
    this.#filters = options.filters;
  }

  protected override async work(): Promise<void> {
    const streams = this.#streams.all("poller").filter((stream) => stream.isClaimed);
    if (streams.length === 0) return;
    const { sql } = this.#db;
    const ids = streams.map((stream) => stream.identity.nodeId);
    const generations = await readGenerations(sql, ids);
    const due = streams.filter((stream) => {
      const generation = generations.get(stream.identity.nodeId);
      return generation !== undefined && generation > stream.generation;
    });
    if (due.length === 0) return;
    const dueIds = new Set(due.map((stream) => stream.identity.nodeId));
    const dueGenerations = new Map([...generations].filter(([nodeId]) => dueIds.has(nodeId)));
    const assignments = await readAssignments(sql, dueGenerations, this.#filters);
    for (const stream of due) this.#tell(stream, assignments.get(stream.identity.nodeId));
  }

  #tell(
    stream: NodeStream,
    assignments:
      | { generation: bigint; eventPollers: readonly fleet.EventPollerAssignment[] }
      | undefined,
  ): void {
    if (assignments === undefined) return;
    const { generation, eventPollers } = assignments;
    stream.generation = generation;
    stream.groups = new Set(eventPollers.map((one) => one.consumerGroupId));
    stream.outbox.assignments(
      create(fleet.AssignmentsSchema, { generation, eventPollers: [...eventPollers] }),
    );
  }
}
