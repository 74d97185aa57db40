import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { Secret } from "../secrets/secret.ts";
import { effectiveSettings } from "./effective-settings.ts";
import { type Environment, parseSettings, type Schema } from "./parse-settings.ts";
import { SETTINGS } from "./table/settings-table.ts";

const SCHEMA = {
  host: SETTINGS.host,
  grpcPort: SETTINGS.pollerGrpcPort,
  drainLimitMs: SETTINGS.drainLimitMs,
  shutdownDeadlineMs: SETTINGS.shutdownDeadlineMs,
  database: SETTINGS.databaseUrl,
};
const DATABASE = { DATABASE_URL: "postgres://penstock:hunter2@localhost/penstock" };

describe("parseSettings", () => {
  it("reads values and defaults into a frozen object", () => {
    const settings = parseSettings(SCHEMA, { ...DATABASE, PENSTOCK_POLLER_GRPC_PORT: "0" });
    expect(settings).toMatchObject({ host: "127.0.0.1", grpcPort: 0, drainLimitMs: 25_000 });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it("takes an empty variable for an unset one", () => {
    expect(parseSettings(SCHEMA, { ...DATABASE, PENSTOCK_HOST: " " }).host).toBe("127.0.0.1");
  });

  it("reports all problems at once, by the name of the variable", () => {
    const env = {
      PENSTOCK_POLLER_GRPC_PORT: "70000",
      PENSTOCK_DRAIN_LIMIT_MS: "soon",
      PENSTOCK_HOSST: "x",
    };
    expect(fieldsOf(SCHEMA, env)).toEqual([
      "PENSTOCK_HOSST",
      "PENSTOCK_POLLER_GRPC_PORT",
      "PENSTOCK_DRAIN_LIMIT_MS",
      "DATABASE_URL",
    ]);
  });

  it("refuses an unknown PENSTOCK_ name and suggests the nearest one", () => {
    expect(problemOf({ ...DATABASE, PENSTOCK_MAPING_SERVICE: "a:1" })).toContain(
      "Did you mean PENSTOCK_MAPPING_SERVICE?",
    );
  });

  it("takes a name that another service knows, and every PENSTOCK_SECRET_ name", () => {
    const env = { ...DATABASE, PENSTOCK_INVOKER: "embedded", PENSTOCK_SECRET_ANY: "value" };
    expect(() => parseSettings(SCHEMA, env)).not.toThrow();
  });

  it("checks relations between values only when each alone is good", () => {
    const relation = (settings: { drainLimitMs: number; shutdownDeadlineMs: number }) =>
      settings.drainLimitMs < settings.shutdownDeadlineMs
        ? []
        : [{ field: "PENSTOCK_DRAIN_LIMIT_MS", description: "must be shorter" }];
    const env = { ...DATABASE, PENSTOCK_DRAIN_LIMIT_MS: "30000" };
    expect(() => parseSettings(SCHEMA, env, relation)).toThrow("must be shorter");
    expect(() => parseSettings(SCHEMA, DATABASE, relation)).not.toThrow();
  });

  it("I-21, S-12: shows no secret, neither in an error nor in the effective settings", () => {
    const settings = parseSettings(SCHEMA, DATABASE);
    expect(settings.database).toBeInstanceOf(Secret);
    expect(settings.database.reveal()).toContain("hunter2");
    const shown = JSON.stringify(effectiveSettings(SCHEMA, settings));
    expect(shown).toContain('"DATABASE_URL":"***"');
    expect(shown).not.toContain("hunter2");
    const tooLong = { DATABASE_URL: `hunter2${"x".repeat(5000)}` };
    expect(problemOf(tooLong)).not.toContain("hunter2");
  });
});

function fieldsOf(schema: Schema, env: Environment): string[] {
  return failure(schema, env).violations.map(({ field }) => field);
}

function problemOf(env: Environment): string {
  return failure(SCHEMA, env).message;
}

function failure(schema: Schema, env: Environment): PenstockError {
  try {
    parseSettings(schema, env);
  } catch (error) {
    if (error instanceof PenstockError) return error;
  }
  throw new Error("expected a PenstockError");
}
