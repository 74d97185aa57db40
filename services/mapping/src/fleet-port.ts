import type { ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import type { Logger } from "@penstock/runtime";
import type { FunctionRegistry } from "./functions/function-registry.ts";
import type { MappingSettings } from "./settings.ts";

/** The fleet's part of the service: FleetService, and the controllers of whichever replica leads. */
export interface Fleet {
  /** Adds FleetService. */
  routes(router: ConnectRouter): void;
  /** Begins to work: the schema is there. */
  start(): void;
  stop(): Promise<void>;
}

export type FleetFactory = (parts: {
  readonly db: Database;
  readonly log: Logger;
  readonly clock: Clock;
  readonly settings: MappingSettings;
  readonly functions: FunctionRegistry;
}) => Fleet;
