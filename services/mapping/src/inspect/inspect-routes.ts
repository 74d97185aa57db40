import type { ServiceImpl } from "@connectrpc/connect";
import { mappingArn, readMappingUuid } from "@penstock/core";
import type { mapping } from "@penstock/proto";
import { type Caller, callerOf, requireRole } from "@penstock/runtime";
import { assertSourceUse } from "../commands/assert-source-use.ts";
import { createMappingCommands } from "../commands/create-mapping-commands.ts";
import type { MappingCommandParts } from "../commands/mapping-command-parts.ts";
import type { MappingCommands } from "../commands/mapping-commands.ts";
import { writeAudit } from "../store/history/write-audit.ts";
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

const VALIDATE = "ValidateEventSourceMapping";
const TEST_FILTER = "TestFilter";
/** What a filter of the caller's own is tried on: samples. */
const NO_MAPPING = "sample records";

type Routes = Pick<
  ServiceImpl<typeof mapping.MappingService>,
  "validateEventSourceMapping" | "testFilter" | "explainEventSourceMapping"
>;

/** The calls of MappingService that look and change nothing. Those that connect to brokers for their caller are audited, and trials of filters. */
export function inspectRoutes({ commands, commandParts, dial, openSource }: InspectParts): Routes {
  const { db, scope } = commandParts;
  const looks = new BoundedLooks();
  // Of viewers: they must not keep operators from looking.
  const explanations = new BoundedLooks();
  const viewOf = (uuid: string) => commands.get(uuid);
  const mappingOf = async (uuid: string) => (await viewOf(uuid)).mapping;
  const { checkSource: _, ...unchecked } = commandParts;
  const rehearsal = createMappingCommands({ ...unchecked, db: rehearsalOf(db) });
  const audit = ({ subject }: Caller, method: string, resource: string, after?: object) =>
    writeAudit(db.sql, { actor: subject, method, resource, ...(after && { after }) });
  const arnOf = (uuid: string) => mappingArn(scope, readMappingUuid(uuid));
  return {
    async validateEventSourceMapping(request, call) {
      const caller = callerOf(call);
      if (request.reachBrokers) {
        requireRole(caller, "operator");
        await audit(
          caller,
          VALIDATE,
          request.update ? arnOf(request.update.uuid) : sourceOf(request),
        );
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
      const caller = callerOf(call);
      const { uuid, records } = request;
      // How many, never what is in them.
      const tried = { sampleRecords: records.length };
      await audit(caller, TEST_FILTER, uuid === undefined ? NO_MAPPING : arnOf(uuid), tried);
      return testFilter(request, {
        looks,
        openSource,
        viewOf,
        assertUse: (stored) => assertSourceUse(commandParts, caller, TEST_FILTER, stored),
      });
    },

    explainEventSourceMapping: ({ uuid }) =>
      explain(uuid, { db, scope, dial, looks: explanations, openSource, viewOf }),
  };
}

const AUDITED_LENGTH_MAX = 500;

/** The brokers and topic that a create would have, as far as they were sent: not judged yet, so cut. */
function sourceOf({ create }: mapping.ValidateEventSourceMappingRequest): string {
  const servers = create?.selfManagedEventSource?.endpoints?.kafkaBootstrapServers ?? [];
  const text = `${servers.join(",")} ${create?.topics.join(",") ?? ""}`;
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, AUDITED_LENGTH_MAX);
}
