import { PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { describe, expect, it } from "vitest";
import { createFilterSeal } from "../seal/filter-seal.ts";
import { WatchHub } from "./watch-hub.ts";

/** A database that is away. */
const db = {
  transaction: async () => {
    throw new PenstockError("unavailable", "away");
  },
  listen: () => ({ stop() {} }),
} as unknown as Database;

describe("WatchHub", () => {
  it("I-14: refuses one watcher more than its limit, and frees the place of one that failed", async () => {
    const scope = { region: "us-east-1", accountId: "000000000000" };
    const hub = new WatchHub({ db, scope, filters: createFilterSeal(new Map()), watchersMax: 1 });
    const { signal } = new AbortController();
    const first = hub.watch("a", signal).next();
    const second = hub.watch("b", signal).next();
    await expect(second).rejects.toMatchObject({ code: "limitExceeded" });
    await expect(first).rejects.toMatchObject({ code: "unavailable" });
    await expect(hub.watch("c", signal).next()).rejects.toThrow("away");
    await hub.close();
    await expect(hub.watch("d", signal).next()).rejects.toThrow("stopping");
  });
});
