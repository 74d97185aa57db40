import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type ArnScope,
  applyChanges,
  type Clock,
  type FunctionRef,
  type PatternCheck,
  PenstockError,
  parseFunctionReference,
  readCreateMapping,
  readUpdateMapping,
} from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { changeMapping, MAPPING_MISSING } from "../store/change-mapping.ts";
import { markMappingDeleting } from "../store/delete-mapping.ts";
import { insertMapping } from "../store/insert-mapping.ts";
import { listMappings } from "../store/list-mappings.ts";
import { readMappingViews, viewOf } from "../store/mapping-views.ts";
import type { StoredMapping } from "../store/stored-mapping.ts";
import type { WatchHub } from "../watch/watch-hub.ts";
import { mappingMessage } from "./mapping-messages.ts";
import { createInput, mutableInput, readUuid } from "./mapping-requests.ts";
import { readPageSize, readPageToken, writePageToken } from "./page-token.ts";

export interface MappingServiceContext {
  readonly db: Database;
  readonly scope: ArnScope;
  readonly clock: Pick<Clock, "wallMs">;
  readonly check: PatternCheck;
  readonly watches: WatchHub;
  /** A new UUID v4. */
  readonly newId: () => string;
}

/** MappingService: request → model → store → answer. */
export function mappingService(
  context: MappingServiceContext,
): Partial<ServiceImpl<typeof mapping.MappingService>> {
  const { db, scope, clock, check, watches } = context;
  /** What the change stored, whatever a controller has made of it since, with what is known of the run. */
  const rules = () => ({
    isStrict: false,
    kmsKeyArns: new Set<string>(),
    nowMs: clock.wallMs(),
    check,
  });
  const changed = async (stored: StoredMapping) => {
    const view = (await readMappingViews(db, [stored.id])).get(stored.id);
    return mappingMessage({ ...(view ?? viewOf(stored)), mapping: stored }, scope);
  };
  return {
    async createEventSourceMapping(request) {
      const { settings } = readCreateMapping(createInput(request), rules());
      const stored = await insertMapping(db, scope, context.newId(), settings);
      return create(mapping.CreateEventSourceMappingResponseSchema, {
        eventSourceMapping: mappingMessage(viewOf(stored), scope),
      });
    },

    async getEventSourceMapping(request) {
      const uuid = readUuid(request.uuid);
      const view = (await readMappingViews(db, [uuid])).get(uuid);
      if (!view) throw new PenstockError("notFound", MAPPING_MISSING);
      return create(mapping.GetEventSourceMappingResponseSchema, {
        eventSourceMapping: mappingMessage(view, scope),
      });
    },

    async listEventSourceMappings(request) {
      const size = readPageSize(request.pageSize);
      const functionRef = functionFilter(request.functionName);
      const filter = `mappings:${functionRef ? `${functionRef.name}:${functionRef.qualifier}` : ""}`;
      const after = readSequence(readPageToken(filter, request.pageToken));
      const found = await listMappings(db.sql, { functionRef }, after, size + 1);
      const page = found.slice(0, size);
      const last = page.at(-1);
      const hasMore = found.length > size && last !== undefined;
      return create(mapping.ListEventSourceMappingsResponseSchema, {
        eventSourceMappings: page.map((stored) => mappingMessage(viewOf(stored), scope)),
        nextPageToken: hasMore ? writePageToken(filter, String(last.sequence)) : "",
      });
    },

    async updateEventSourceMapping(request) {
      const uuid = readUuid(request.uuid);
      const paths = request.updateMask?.paths ?? null;
      const changes = readUpdateMapping(mutableInput(request), paths, rules());
      const stored = await changeMapping(db, scope, uuid, (before) =>
        applyChanges(before, changes, rules()),
      );
      return create(mapping.UpdateEventSourceMappingResponseSchema, {
        eventSourceMapping: await changed(stored),
      });
    },

    async deleteEventSourceMapping(request) {
      const stored = await markMappingDeleting(db, readUuid(request.uuid));
      return create(mapping.DeleteEventSourceMappingResponseSchema, {
        eventSourceMapping: await changed(stored),
      });
    },

    async *watchEventSourceMapping(request, call) {
      const uuid = readUuid(request.uuid);
      for await (const eventSourceMapping of watches.watch(uuid, call.signal)) {
        yield create(mapping.WatchEventSourceMappingResponseSchema, { eventSourceMapping });
      }
    },
  };
}

/** The key of a page token: whoever wrote it, it is a number of the right size, or the beginning. */
function readSequence(key: string | null): bigint {
  return key !== null && /^\d{1,18}$/.test(key) ? BigInt(key) : 0n;
}

function functionFilter(name: string | undefined): FunctionRef | null {
  return name === undefined ? null : parseFunctionReference("function_name", name);
}
