import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type ArnScope, parseFunctionReference, readMappingUuid } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { callerOf } from "@penstock/runtime";
import type { MappingCommands } from "../commands/mapping-commands.ts";
import { hiddenViewOf, type MappingView } from "../store/mapping-views.ts";
import type { WatchHub } from "../watch/watch-hub.ts";
import { listMappingEvents } from "./event-messages.ts";
import { idempotent } from "./idempotent.ts";
import { mappingMessage } from "./mapping-messages.ts";
import { createInput, mappingInput } from "./mapping-requests.ts";
import { readPageKey, readPageSize, writePageToken } from "./page-token.ts";

export interface MappingServiceContext {
  readonly db: Database;
  readonly scope: ArnScope;
  readonly commands: MappingCommands;
  readonly watches: WatchHub;
}

type Routes = ServiceImpl<typeof mapping.MappingService>;

/** What only looks: ValidateEventSourceMapping, TestFilter and ExplainEventSourceMapping have routes of their own (`inspect/`). */
type Inspections = "validateEventSourceMapping" | "testFilter" | "explainEventSourceMapping";

/** MappingService: request → command → answer. */
export function mappingService(context: MappingServiceContext): Omit<Routes, Inspections> {
  const { db, scope, commands, watches } = context;
  const shown = (view: MappingView) => ({ eventSourceMapping: mappingMessage(view, scope) });
  return {
    ...tagRoutes(commands),

    async createEventSourceMapping(request, call) {
      const once = idempotent(request);
      const view = await commands.create(callerOf(call), createInput(request), once);
      return create(mapping.CreateEventSourceMappingResponseSchema, shown(view));
    },

    async getEventSourceMapping(request) {
      const view = await commands.get(request.uuid);
      return create(mapping.GetEventSourceMappingResponseSchema, shown(view));
    },

    async listEventSourceMappings(request) {
      const size = readPageSize(request.pageSize);
      const { functionName, eventSourceArn } = request;
      const filter = listFilter(request);
      const after = readPageKey(filter, request.pageToken);
      const query = {
        ...(functionName !== undefined && { functionName }),
        ...(eventSourceArn !== undefined && { eventSourceArn }),
      };
      const { mappings, next } = await commands.list(query, after, size);
      return create(mapping.ListEventSourceMappingsResponseSchema, {
        eventSourceMappings: mappings.map((stored) => mappingMessage(hiddenViewOf(stored), scope)),
        nextPageToken: next === null ? "" : writePageToken(filter, String(next)),
      });
    },

    async updateEventSourceMapping(request, call) {
      const { uuid, etag, updateMask } = request;
      const once = idempotent(request);
      const input = mappingInput(request);
      const paths = updateMask?.paths ?? null;
      const guard = etag === undefined ? {} : { etag };
      const view = await commands.update(callerOf(call), uuid, input, paths, guard, once);
      return create(mapping.UpdateEventSourceMappingResponseSchema, shown(view));
    },

    async deleteEventSourceMapping(request, call) {
      const { uuid, etag, deleteConsumerGroup = false } = request;
      const once = idempotent(request);
      const guard = { deleteConsumerGroup, ...(etag !== undefined && { etag }) };
      const view = await commands.delete(callerOf(call), uuid, guard, once);
      return create(mapping.DeleteEventSourceMappingResponseSchema, shown(view));
    },

    async *watchEventSourceMapping(request, call) {
      const uuid = readMappingUuid(request.uuid);
      for await (const message of watches.watch(uuid, call.signal, request.afterRevision)) {
        yield create(mapping.WatchEventSourceMappingResponseSchema, {
          eventSourceMapping: message,
        });
      }
    },

    listEventSourceMappingEvents: (request) => listMappingEvents(db, request),
  };
}

function tagRoutes(
  commands: MappingCommands,
): Pick<Routes, "tagResource" | "untagResource" | "listTags"> {
  return {
    async tagResource(request, call) {
      const once = idempotent(request);
      await commands.tag(callerOf(call), request.resource, request.tags, once);
      return create(mapping.TagResourceResponseSchema);
    },

    async untagResource(request, call) {
      const once = idempotent(request);
      await commands.untag(callerOf(call), request.resource, request.tagKeys, once);
      return create(mapping.UntagResourceResponseSchema);
    },

    async listTags(request) {
      const tags = await commands.tags(request.resource);
      return create(mapping.ListTagsResponseSchema, { tags: Object.fromEntries(tags) });
    },
  };
}

/** All forms of one function's name are one filter. */
function listFilter({
  functionName,
  eventSourceArn,
}: mapping.ListEventSourceMappingsRequest): string {
  const ref =
    functionName === undefined ? null : parseFunctionReference("function_name", functionName);
  return `mappings:${ref ? `${ref.name}:${ref.qualifier}` : ""}:${eventSourceArn ?? ""}`;
}
