import type { FunctionSettings } from "@penstock/core";
import type { Caller } from "@penstock/runtime";
import type { IdempotentRequest } from "../commands/mapping-commands.ts";
import { type AnswerCodec, NO_ANSWER, type OnceParts, once } from "../commands/once.ts";
import { writeAudit } from "../store/history/write-audit.ts";
import { deleteFunction } from "./delete-function.ts";
import type { HeaderSeal } from "./header-seal.ts";
import { putFunction } from "./put-function.ts";
import type { StoredFunction } from "./stored-function.ts";

/** What callers change in the registry: each with its audit row and, with a request id, its remembered answer, in one transaction. */
export interface FunctionCommands {
  /** @throws PenstockError `invalidArgument` when there is no stored header value to keep. */
  put(
    caller: Caller,
    settings: FunctionSettings,
    request?: IdempotentRequest,
  ): Promise<StoredFunction>;
  /** @throws PenstockError `notFound`. */
  delete(caller: Caller, name: string, request?: IdempotentRequest): Promise<void>;
}

export function createFunctionCommands(parts: OnceParts, seal: HeaderSeal): FunctionCommands {
  return {
    put: (caller, settings, request) =>
      once(parts, caller, request, FUNCTION_ANSWER, async (sql) => {
        const { before, after } = await putFunction(sql, seal, settings);
        if (before === after) return after;
        await writeAudit(sql, {
          actor: caller.subject,
          method: "PutFunction",
          resource: settings.name,
          before: before && audited(before),
          after: audited(after),
        });
        return after;
      }),
    delete: (caller, name, request) =>
      once(parts, caller, request, NO_ANSWER, async (sql) => {
        const before = await deleteFunction(sql, name);
        const actor = caller.subject;
        const deed = { actor, method: "DeleteFunction", resource: name, before: audited(before) };
        await writeAudit(sql, deed);
      }),
  };
}

/** Names of headers, never their values. */
function audited({ headersSealed: _, ...shown }: StoredFunction) {
  return { ...shown, revision: String(shown.revision) };
}

const FUNCTION_ANSWER: AnswerCodec<StoredFunction> = {
  write: (stored) => JSON.stringify(audited(stored)),
  read(text) {
    const plain = JSON.parse(text) as ReturnType<typeof audited>;
    return { ...plain, revision: BigInt(plain.revision), headersSealed: null };
  },
};
