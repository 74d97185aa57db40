import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { invalidField, isFunctionName, readFunction } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { callerOf } from "@penstock/runtime";
import { functionMissing } from "../functions/delete-function.ts";
import type { FunctionCommands } from "../functions/function-commands.ts";
import { findFunction, listFunctions } from "../functions/read-functions.ts";
import { functionInput, functionMessage } from "./function-messages.ts";
import { idempotent } from "./idempotent.ts";
import { readPageSize, readPageToken, writePageToken } from "./page-token.ts";

/** FunctionService: request → model → store → answer. */
export function functionService(
  db: Database,
  commands: FunctionCommands,
): ServiceImpl<typeof mapping.FunctionService> {
  return {
    async putFunction(request, call) {
      const settings = readFunction(functionInput(request.function));
      const stored = await commands.put(callerOf(call), settings, idempotent(request));
      return create(mapping.PutFunctionResponseSchema, { function: functionMessage(stored) });
    },

    async getFunction(request) {
      checkName(request.name);
      const stored = await findFunction(db.sql, request.name);
      if (!stored) throw functionMissing(request.name);
      return create(mapping.GetFunctionResponseSchema, { function: functionMessage(stored) });
    },

    async listFunctions(request) {
      const size = readPageSize(request.pageSize);
      const after = readPageToken("functions", request.pageToken) ?? "";
      const found = await listFunctions(db.sql, after, size + 1);
      const page = found.slice(0, size);
      const last = page.at(-1);
      const hasMore = found.length > size && last !== undefined;
      return create(mapping.ListFunctionsResponseSchema, {
        functions: page.map(functionMessage),
        nextPageToken: hasMore ? writePageToken("functions", last.name) : "",
      });
    },

    async deleteFunction(request, call) {
      checkName(request.name);
      await commands.delete(callerOf(call), request.name, idempotent(request));
      return create(mapping.DeleteFunctionResponseSchema);
    },
  };
}

function checkName(name: string): void {
  if (isFunctionName(name)) return;
  throw invalidField("name", "name must be the name of a function.");
}
