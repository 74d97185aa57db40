import {
  applyChanges,
  functionArn,
  PenstockError,
  readCreateMapping,
  readMappingUuid,
  readUpdateMapping,
} from "@penstock/core";
import { changeMapping } from "../store/change-mapping.ts";
import { markMappingDeleting } from "../store/delete-mapping.ts";
import { findMappings, MAPPING_MISSING } from "../store/find-mapping.ts";
import { insertMapping } from "../store/insert-mapping.ts";
import { addMappingTags } from "../store/mapping-tags.ts";
import { type MappingView, readMappingViews, viewOf } from "../store/mapping-views.ts";
import type { StoredMapping } from "../store/rows/stored-mapping.ts";
import { assertSourceUse } from "./assert-source-use.ts";
import { listMappingPage } from "./list-mapping-page.ts";
import { MAPPING_ANSWER } from "./mapping-answer.ts";
import { type MappingCommandParts, rulesNow } from "./mapping-command-parts.ts";
import type { MappingCommands } from "./mapping-commands.ts";
import { once } from "./once.ts";
import { recordMapping } from "./record-mapping.ts";
import { tagCommands } from "./tag-commands.ts";

/** The commands over Postgres. */
export function createMappingCommands(parts: MappingCommandParts): MappingCommands {
  const { db, scope, filters } = parts;
  const shown = (stored: StoredMapping): MappingView => viewOf(filters, stored);
  return {
    ...tagCommands(parts),

    async create(caller, input, request) {
      const { settings, tags } = readCreateMapping(input, rulesNow(parts));
      await assertSourceUse(parts, caller, "CreateEventSourceMapping", settings);
      const stored = await once(parts, caller, request, MAPPING_ANSWER, async (sql) => {
        const after = await insertMapping(sql, parts, parts.newId(), settings);
        await addMappingTags(sql, after.id, tags);
        const arn = functionArn(scope, after.functionRef);
        await recordMapping(sql, scope, {
          caller,
          method: "CreateEventSourceMapping",
          kind: "created",
          message: `Created for ${arn} and topic ${after.topic}.`,
          before: null,
          after,
        });
        return after;
      });
      return shown(stored);
    },

    async get(text) {
      const uuid = readMappingUuid(text);
      const view = (await readMappingViews(db, filters, [uuid])).get(uuid);
      if (!view) throw new PenstockError("notFound", MAPPING_MISSING);
      return view;
    },

    list: (query, after, size) => listMappingPage(db.sql, query, after, size),

    async update(caller, text, input, maskPaths, guard = {}, request) {
      const uuid = readMappingUuid(text);
      const rules = rulesNow(parts);
      const changes = readUpdateMapping(input, maskPaths, rules);
      // Another function would get the records that these secrets open.
      const needsUse = changes.sourceAccess !== undefined || changes.functionRef !== undefined;
      const [asked] = needsUse ? await findMappings(db.sql, [uuid]) : [];
      if (needsUse) {
        if (!asked) throw new PenstockError("notFound", MAPPING_MISSING);
        const { sourceAccess = asked.sourceAccess } = changes;
        const source = { ...asked, sourceAccess };
        await assertSourceUse(parts, caller, "UpdateEventSourceMapping", source);
      }
      const stored = await once(parts, caller, request, MAPPING_ANSWER, async (sql) => {
        const { before, after, changed } = await changeMapping(sql, parts, uuid, {
          changes,
          apply: (present) => applyChanges(present, changes, rules),
          etag: guard.etag,
        });
        if (changed.length === 0) return after;
        // What was allowed was this change of those settings.
        if (asked && asked.revision !== before.revision) throw changedMeanwhile();
        await recordMapping(sql, scope, {
          caller,
          method: "UpdateEventSourceMapping",
          kind: "updated",
          message: `Changed: ${changed.join(", ")}.`,
          before,
          after,
        });
        return after;
      });
      return shown(stored);
    },

    async delete(caller, text, { etag, deleteConsumerGroup = false } = {}, request) {
      const uuid = readMappingUuid(text);
      const deletion = { etag, deletesConsumerGroup: deleteConsumerGroup };
      const stored = await once(parts, caller, request, MAPPING_ANSWER, async (sql) => {
        const { before, after } = await markMappingDeleting(sql, uuid, deletion);
        if (before.state === "Deleting") return after;
        await recordMapping(sql, scope, {
          caller,
          method: "DeleteEventSourceMapping",
          kind: "deleting",
          message: deleteConsumerGroup
            ? "Delete asked for, with the consumer group."
            : "Delete asked for.",
          before,
          after,
        });
        return after;
      });
      return shown(stored);
    },
  };
}

function changedMeanwhile(): PenstockError {
  const message = "The event source mapping was changed meanwhile: read it and try again.";
  return new PenstockError("aborted", message);
}
