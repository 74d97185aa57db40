import { closeSync, openSync, writeSync } from "node:fs";
import type { Assignment, Clock } from "@penstock/core";
import type { History } from "../event-poller/history.ts";
import type { Batch } from "../lane/batch.ts";

/**
 * The audit history as JSON lines. Written synchronously, line by line, so that a line that was followed by an effect is in the file even when
 * the process is killed in the next instant.
 *
 * `{"t": wall ms, "event": "adopted" | "called" | "answered" | "settled" | "committing" | "committed" | "ended", "member", …}`
 */
export class FileHistory implements History {
  readonly #file: number;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#file = openSync(path, "a", 0o600);
    this.#clock = clock;
  }

  adopted(member: string, assignment: Assignment, offset: bigint): void {
    this.#write("adopted", member, { ...at(assignment), offset: String(offset) });
  }

  called(member: string, batch: Batch, attempt: number): void {
    this.#write("called", member, { request: batch.requestId, attempt, parts: partsOf(batch) });
  }

  answered(member: string, batch: Batch, outcome: string): void {
    this.#write("answered", member, { request: batch.requestId, outcome, parts: partsOf(batch) });
  }

  settled(member: string, assignment: Assignment, from: bigint, to: bigint, how: string): void {
    this.#write("settled", member, {
      ...at(assignment),
      from: String(from),
      to: String(to),
      how,
    });
  }

  committing(member: string, assignment: Assignment, offset: bigint): void {
    this.#write("committing", member, { ...at(assignment), offset: String(offset) });
  }

  committed(member: string, assignment: Assignment, offset: bigint, result: string): void {
    this.#write("committed", member, { ...at(assignment), offset: String(offset), result });
  }

  ended(member: string, assignment: Assignment, how: string): void {
    this.#write("ended", member, { ...at(assignment), how });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(event: string, member: string, fields: object): void {
    writeSync(
      this.#file,
      `${JSON.stringify({ t: this.#clock.wallMs(), event, member, ...fields })}\n`,
    );
  }
}

function at({ topic, partition, epoch }: Assignment): object {
  return { topic, partition, epoch };
}

function partsOf(batch: Batch): object[] {
  return batch.parts.map(({ lane, range, recordCount }) => ({
    ...at(lane.assignment),
    from: String(range.from),
    to: String(range.to),
    records: recordCount,
  }));
}
