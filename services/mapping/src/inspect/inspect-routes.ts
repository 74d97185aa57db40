import type { ServiceImpl } from "@connectrpc/connect";
import { mappingArn } from "@penstock/core";
import type { mapping } from "@penstock/proto";
import { type Caller, callerOf, requireRole } from "@penstock/runtime";
import { createMappingCommands } from "../commands/create-mapping-commands.ts";
import type { MappingCommandParts } from "../commands/mapping-command-parts.ts";
import type { MappingCommands } from "../commands/mapping-commands.ts";
import { writeAudit } from "../store/write-audit.ts";
import { BoundedLooks } from "./bounded-looks.ts";
import type { DialNode } from "./explain/ask-nodes.ts";
import { explain } from "./explain/explain-route.ts";
import { readRun } from "./explain/read-run.ts";
import { testFilter } from "./filter/test-filter.ts";
import type { OpenSource } from "./source-admin.ts";
import { rehearsalOf } from "./validate/rehearse.ts";
import { validateMapping } from "./validate/validate-mapping.ts";

export interface InspectParts {
  readonly commands: MappingCommands;
  readonly commandParts: MappingCommandParts;
  readonly dial: DialNode;
  readonly openSource: OpenSource;
}

type Routes = Pick<
  ServiceImpl<typeof mapping.MappingService>,
  "validateEventSourceMapping" | "testFilter" | "explainEventSourceMapping"
>;

/** The calls of MappingService that look and change nothing. Those that connect to brokers for their caller are audited. */
export function inspectRoutes({ commands, commandParts, dial, openSource }: InspectParts): Routes {
  const { db, scope } = commandParts;
  const looks = new BoundedLooks();
  const viewOf = (uuid: string) => commands.get(uuid);
  const mappingOf = async (uuid: string) => (await viewOf(uuid)).mapping;
  const { checkSource: _, ...unchecked } = commandParts;
  const rehearsal = createMappingCommands({ ...unchecked, db: rehearsalOf(db) });
  const audit = ({ subject }: Caller, method: string, uuid: string | undefined) =>
    writeAudit(db.sql, {
      actor: subject,
      method,
      resource: uuid === undefined ? "" : mappingArn(scope, uuid),
    });
  return {
    async validateEventSourceMapping(request, call) {
      const caller = callerOf(call);
      if (request.reachBrokers) {
        requireRole(caller, "operator");
        await audit(caller, "ValidateEventSourceMapping", request.update?.uuid);
      }
      return validateMapping(caller, request, {
        looks,
        openSource,
        commands: commandParts,
        rehearsal,
        mappingOf,
        memberIdsOf: async (id) => {
          const run = await readRun(db, id);
          return new Set(run?.pollers.flatMap(({ memberId }) => memberId ?? []) ?? []);
        },
      });
    },

    async testFilter(request, call) {
      if (request.records.length === 0) await audit(callerOf(call), "TestFilter", request.uuid);
      return testFilter(request, { looks, openSource, mappingOf });
    },

    explainEventSourceMapping: ({ uuid }) =>
      explain(uuid, { db, scope, dial, looks, openSource, viewOf }),
  };
}
