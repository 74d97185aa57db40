import { existsSync, readFileSync } from "node:fs";

/** A line of a poller's audit history (`PENSTOCK_HISTORY_FILE`). Offsets are numbers here: tests stay far below 2^53. */
export type PollerEvent = {
  readonly t: number;
  readonly member: string;
} & (
  | ({ readonly event: "adopted"; readonly offset: number } & At)
  | {
      readonly event: "called";
      readonly request: string;
      readonly attempt: number;
      readonly parts: readonly CalledPart[];
    }
  | {
      readonly event: "answered";
      readonly request: string;
      readonly outcome: string;
      readonly parts: readonly CalledPart[];
    }
  | ({
      readonly event: "settled";
      readonly from: number;
      readonly to: number;
      readonly how: string;
    } & At)
  | ({ readonly event: "committing"; readonly offset: number } & At)
  | ({ readonly event: "committed"; readonly offset: number; readonly result: string } & At)
  | ({ readonly event: "ended"; readonly how: string } & At)
);

export interface At {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

export interface CalledPart extends At {
  readonly from: number;
  readonly to: number;
  readonly records: number;
}

export function partitionOf({ topic, partition }: At): string {
  return `${topic}-${partition}`;
}

/** Reads the histories of several pollers into one, by time; a last line that a kill cut short is dropped. */
export function readHistories(files: readonly string[]): PollerEvent[] {
  const events: PollerEvent[] = [];
  for (const file of files) {
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const event = parse(line);
      if (event !== null) events.push(event);
    }
  }
  return events.sort((a, b) => a.t - b.t);
}

const OFFSETS = new Set(["offset", "from", "to"]);

function parse(line: string): PollerEvent | null {
  if (!line.endsWith("}")) return null;
  return JSON.parse(line, (key, value: unknown) =>
    OFFSETS.has(key) && typeof value === "string" ? Number(value) : value,
  ) as PollerEvent;
}
