import { PenstockError, parseMappingArn, readTagKeys, readTags } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { Caller } from "@penstock/runtime";
import { findMappings, lockMapping } from "../store/find-mapping.ts";
import { noteMappingChange } from "../store/history/note-mapping-change.ts";
import { writeAudit } from "../store/history/write-audit.ts";
import { addMappingTags, readMappingTags, removeMappingTags } from "../store/mapping-tags.ts";
import type { MappingCommandParts } from "./mapping-command-parts.ts";
import type { IdempotentRequest, MappingCommands } from "./mapping-commands.ts";
import { NO_ANSWER, once } from "./once.ts";

type TagCommands = Pick<MappingCommands, "tag" | "untag" | "tags">;

/** One change of tags: answers what happened in words, null when nothing did. */
interface TagChange {
  readonly caller: Caller;
  readonly method: "TagResource" | "UntagResource";
  readonly arn: string;
  readonly request: IdempotentRequest | undefined;
  readonly make: (sql: Sql, uuid: string) => Promise<string | null>;
}

/** Tags have no part in the settings: they change neither revision nor etag. */
export function tagCommands(parts: MappingCommandParts): TagCommands {
  const { db, scope } = parts;
  async function change({ caller, method, arn, request, make }: TagChange): Promise<void> {
    await namingArn(arn, async () => {
      const uuid = parseMappingArn(arn, scope);
      await once(parts, caller, request, NO_ANSWER, async (sql) => {
        await lockMapping(sql, uuid);
        const before = await readMappingTags(sql, uuid);
        const message = await make(sql, uuid);
        if (message === null) return;
        const kind = method === "TagResource" ? "tagged" : "untagged";
        const actor = caller.subject;
        await noteMappingChange(sql, uuid, kind, message, { actor });
        const after = await readMappingTags(sql, uuid);
        await writeAudit(sql, {
          actor,
          method,
          resource: arn,
          before: Object.fromEntries(before),
          after: Object.fromEntries(after),
        });
      });
    });
  }
  return {
    async tag(caller, arn, sent, request) {
      const tags = readTags(sent);
      const make = async (sql: Sql, uuid: string) => {
        await addMappingTags(sql, uuid, tags);
        return `Tags set: ${[...tags.keys()].join(", ")}.`;
      };
      await change({ caller, method: "TagResource", arn, request, make });
    },

    async untag(caller, arn, sent, request) {
      const keys = [...readTagKeys(sent)];
      const make = async (sql: Sql, uuid: string) => {
        const removed = await removeMappingTags(sql, uuid, keys);
        return removed === 0 ? null : `Tags removed: ${keys.join(", ")}.`;
      };
      await change({ caller, method: "UntagResource", arn, request, make });
    },

    tags: (arn) =>
      namingArn(arn, async () => {
        const uuid = parseMappingArn(arn, scope);
        const [found] = await findMappings(db.sql, [uuid]);
        if (!found) throw new PenstockError("notFound", "No such mapping.");
        return readMappingTags(db.sql, uuid);
      }),
  };
}

const SHOWN_LENGTH_MAX = 256;

/** AWS's words for the ARN of nothing. */
async function namingArn<T>(arn: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof PenstockError) || cause.code !== "notFound") throw cause;
    const shown = arn.slice(0, SHOWN_LENGTH_MAX);
    throw new PenstockError("notFound", `Event source mapping not found: ${shown}`, { cause });
  }
}
