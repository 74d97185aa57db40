import { expect, it } from "vitest";
import { parseQuickStartSettings } from "../quick-start-settings.ts";
import { overview } from "./overview.ts";

it("the table of what runs where shows no password", () => {
  const databaseUrl = "postgres://user:hidden@db.example:5432/name";
  const settings = parseQuickStartSettings({ DATABASE_URL: databaseUrl }, []);
  const servers = { databaseUrl, bootstrapServers: "127.0.0.1:9092" };
  const rows = overview(settings, settings.ports, servers, () => undefined);
  expect(rows[0]).toMatchObject({ address: "db.example:5432", note: "yours (DATABASE_URL)" });
  expect(JSON.stringify(rows)).not.toContain("hidden");
});

it("in the one-process form the three services have one process", () => {
  const settings = parseQuickStartSettings({}, ["--standalone"]);
  const servers = { databaseUrl: "postgres://a:b@127.0.0.1:1/c", bootstrapServers: "k:1" };
  const rows = overview(settings, settings.ports, servers, (part) =>
    part === "standalone" ? 7 : undefined,
  );
  expect(rows.filter(({ pid }) => pid === "pid 7").map(({ name }) => name)).toEqual([
    "mapping",
    "invoker",
    "poller",
  ]);
});
