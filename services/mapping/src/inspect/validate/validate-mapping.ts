import { create } from "@bufbuild/protobuf";
import { invalidField, type MappingSettings, PenstockError } from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { Caller } from "@penstock/runtime";
import { createInput, mappingInput } from "../../api/mapping-requests.ts";
import { assertSourceUse } from "../../commands/assert-source-use.ts";
import type { MappingCommandParts } from "../../commands/mapping-command-parts.ts";
import type { MappingCommands } from "../../commands/mapping-commands.ts";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";
import type { BoundedLooks } from "../bounded-looks.ts";
import type { OpenSource } from "../source-admin.ts";
import { lookAtSource } from "./look-at-source.ts";
import { plannedSettings } from "./planned-settings.ts";
import { problemsOf } from "./validation-problems.ts";

export interface ValidateParts {
  readonly looks: BoundedLooks;
  readonly openSource: OpenSource;
  readonly commands: MappingCommandParts;
  /** The commands over a database that keeps nothing. */
  readonly rehearsal: MappingCommands;
  /** @throws PenstockError `notFound`. */
  readonly mappingOf: (uuid: string) => Promise<StoredMapping>;
  /** Of the event pollers that are known to run. */
  readonly memberIdsOf: (mappingId: string) => Promise<ReadonlySet<string>>;
}

const LOOK_MS_DEFAULT = 10_000;
const LOOK_MS_MAX = 30_000;

/**
 * Everything that is wrong with a create or an update, at once: its values, what it collides with, whose secrets it uses, and, when asked,
 * what the brokers say.
 */
export async function validateMapping(
  caller: Caller,
  request: mapping.ValidateEventSourceMappingRequest,
  parts: ValidateParts,
): Promise<mapping.ValidateEventSourceMappingResponse> {
  const present = await presentMapping(request, parts);
  const lookMs = readTimeout(request);
  const problems: mapping.ValidationProblem[] = [];
  const attempt = async <T>(step: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await step();
    } catch (error) {
      if (!isAnswer(error)) throw error;
      problems.push(...problemsOf(error));
      return null;
    }
  };
  const planned = await attempt(() => plannedSettings(request, present, parts.commands));
  if (planned === null)
    return create(mapping.ValidateEventSourceMappingResponseSchema, { problems });
  await attempt(() => rehearse(caller, request, parts));
  const mayUse = await attempt(async () => {
    await assertSourceUse(parts.commands, caller, "ValidateEventSourceMapping", planned);
    return true;
  });
  // A secret that may not be used there is not used there to find out more.
  const looked =
    request.reachBrokers && mayUse ? await look(planned, present, lookMs, parts) : null;
  return create(mapping.ValidateEventSourceMappingResponseSchema, {
    problems: [...problems, ...(looked?.problems ?? [])],
    ...(looked?.source && { source: looked.source }),
  });
}

async function presentMapping(
  { create: created, update }: mapping.ValidateEventSourceMappingRequest,
  parts: ValidateParts,
): Promise<StoredMapping | null> {
  if ((created === undefined) === (update === undefined)) {
    throw invalidField("create", "create: send either create or update.");
  }
  return update === undefined ? null : await parts.mappingOf(update.uuid);
}

function readTimeout({ timeout }: mapping.ValidateEventSourceMappingRequest): number {
  if (timeout === undefined) return LOOK_MS_DEFAULT;
  const ms = Number(timeout.seconds) * 1000 + timeout.nanos / 1e6;
  if (ms >= 1 && ms <= LOOK_MS_MAX) return Math.round(ms);
  throw invalidField("timeout", `timeout must be from 1 ms to ${LOOK_MS_MAX} ms.`);
}

async function rehearse(
  caller: Caller,
  { create: created, update }: mapping.ValidateEventSourceMappingRequest,
  { rehearsal }: ValidateParts,
): Promise<void> {
  if (created) await rehearsal.create(caller, createInput(created));
  if (update) {
    const { uuid, etag, updateMask } = update;
    const guard = etag === undefined ? {} : { etag };
    await rehearsal.update(caller, uuid, mappingInput(update), updateMask?.paths ?? null, guard);
  }
}

async function look(
  planned: MappingSettings,
  present: StoredMapping | null,
  ms: number,
  { looks, openSource, memberIdsOf }: ValidateParts,
) {
  const ourMemberIds = present ? await memberIdsOf(present.id) : new Set<string>();
  return lookAtSource(looks, openSource, { ...planned, ourMemberIds }, ms);
}

/** Whether an error is about the request: anything else (the database is away) is the answer of the call itself. */
function isAnswer(error: unknown): error is PenstockError {
  if (!(error instanceof PenstockError)) return false;
  return !["unavailable", "limitExceeded", "deadlineExceeded", "cancelled", "internal"].includes(
    error.code,
  );
}
