import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { missingForGo, missingForPython, REPOSITORY_ROOT, runTool } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { describe, expect, inject, it } from "vitest";
import { sharedWorld } from "../../shared-world.ts";
import { goClient, PYTHON_CLIENT, TOOLS_MS } from "../../tools.ts";
import { generatePython } from "./python-code.ts";

const shared = sharedWorld();

/** Runs a client on a topic and a function of its own, and reads what it says. */
async function tryClient(
  run: (flags: Readonly<Record<string, string>>) => Promise<string>,
): Promise<void> {
  await shared.flow({ mapping: null }, async (flow) => {
    const output = await run({
      address: shared.world.mappingService.ready.grpc,
      function: flow.name,
      topic: flow.topic,
      brokers: inject("KAFKA"),
    });
    const lines = output.trim().split("\n");
    const uuid = /^created ([0-9a-f-]{36})$/.exec(lines[0] ?? "")?.[1] ?? "";
    expect(uuid).not.toBe("");
    expect(lines).toContain("state MAPPING_STATE_ENABLED");
    expect(lines.filter((line) => / created /.test(line))).toHaveLength(1);
    expect(lines.at(-1)).toBe(`deleted ${uuid} MAPPING_STATE_DELETING`);
    await waitUntil("the mapping is gone", () =>
      shared.world.get(uuid).then(
        () => false,
        (error: unknown) => String(error).includes("not_found"),
      ),
    );
  });
}

describe.skipIf(missingForPython() !== undefined)("the example client in Python", () => {
  it(
    "creates a mapping, sees it enabled, reads its events and deletes it",
    async () => {
      const folder = "penstock/mapping/v1";
      const protos = readdirSync(join(REPOSITORY_ROOT, "proto", folder));
      const code = await generatePython(
        PYTHON_CLIENT,
        ...protos.map((name) => `${folder}/${name}`),
      );
      try {
        await tryClient((flags) =>
          runTool(code.python, [join(PYTHON_CLIENT, "client.py"), ...asFlags("--", flags)], {
            env: { PYTHONPATH: code.folder, PYTHONDONTWRITEBYTECODE: "1" },
          }),
        );
      } finally {
        rmSync(code.folder, { recursive: true });
      }
    },
    TOOLS_MS,
  );
});

describe.skipIf(missingForGo() !== undefined)("the example client in Go", () => {
  it(
    "creates a mapping, sees it enabled, reads its events and deletes it",
    async () => {
      const client = await goClient();
      await tryClient((flags) => runTool(client, asFlags("-", flags)));
    },
    TOOLS_MS,
  );
});

function asFlags(dash: string, flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`${dash}${name}`, value]);
}
