import type { FunctionSpec } from "@penstock/core";
import type { Database, DatabaseLog } from "@penstock/postgres";
import type { FunctionRegistry } from "./function-registry.ts";
import type { HeaderSeal } from "./header-seal.ts";
import { FUNCTIONS_CHANNEL } from "./note-function-change.ts";
import { readChangedFunctions, readLastChange, readRemovedFunctions } from "./read-functions.ts";
import { openFunction, type StoredFunction } from "./stored-function.ts";

/**
 * The registry over Postgres. A function whose header values can't be opened is logged and left out: its batches wait, uncharged, as
 * for a deleted one.
 */
export function openFunctionRegistry(
  db: Database,
  seal: HeaderSeal,
  log: DatabaseLog,
): FunctionRegistry {
  const open = (functions: readonly StoredFunction[]): FunctionSpec[] =>
    functions.flatMap((stored) => {
      try {
        return [openFunction(stored, seal)];
      } catch (error) {
        log.error("function left out", {
          function: stored.name,
          reason: error instanceof Error ? error.message : "",
        });
        return [];
      }
    });
  const changesSince: FunctionRegistry["changesSince"] = (after) =>
    db.transaction(
      async (sql) => ({
        change: await readLastChange(sql),
        changed: open(await readChangedFunctions(sql, after)),
        removed: await readRemovedFunctions(sql, after),
      }),
      { isolation: "repeatable read", isReadOnly: true },
    );
  return {
    changesSince,
    async snapshot() {
      const { change, changed } = await changesSince(0n);
      return { change, functions: changed };
    },
    onChange: (handler) =>
      db.listen(FUNCTIONS_CHANNEL, { onNotify: handler, onSubscribed: handler }),
  };
}
