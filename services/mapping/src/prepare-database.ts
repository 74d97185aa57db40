import { type FunctionSettings, PenstockError } from "@penstock/core";
import { type Database, migrate } from "@penstock/postgres";
import type { Logger } from "@penstock/runtime";
import type { HeaderSeal } from "./functions/header-seal.ts";
import { putFunction } from "./functions/put-function.ts";

export interface Preparation {
  readonly db: Database;
  readonly log: Logger;
  readonly seal: HeaderSeal;
  /** Functions of the PENSTOCK_FUNCTIONS file. */
  readonly functions: readonly FunctionSettings[];
  readonly signal: AbortSignal;
}

const WAIT_MIN_MS = 100;
const WAIT_MAX_MS = 5_000;

/**
 * Migrates, and registers the functions of the file, as soon as Postgres can be asked: a service that starts before its database
 * waits for it. Returns false when `signal` aborted first.
 */
export async function prepareDatabase(preparation: Preparation): Promise<boolean> {
  const { db, log, seal, functions, signal } = preparation;
  for (let waitMs = WAIT_MIN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)) {
    try {
      await migrate(db, log);
      for (const settings of functions) {
        await db.transaction((sql) => putFunction(sql, seal, settings));
      }
      return true;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof PenstockError)) throw error;
      // What is wrong may be mended from outside (a wrong password, a foreign schema): running parts go on meanwhile.
      if (error.code !== "unavailable") log.error("database not ready", { error });
      await pause(waitMs * (0.5 + Math.random() / 2), signal);
    }
  }
  return false;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
  });
}
