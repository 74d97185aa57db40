import fc from "fast-check";
import { afterAll, expect, inject, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../../shared-world.ts";
import { allCommands, clear } from "./mapping-commands.ts";
import { MappingModel } from "./mapping-model.ts";
import { ModelWorld, SLOTS } from "./model-world.ts";

const RUNS = 3;
const COMMANDS_MAX = 60;
/** All runs together; what is left of the commands then is not run. */
const TIME_MS = 40_000;

const shared = sharedWorld();
let real: ModelWorld | null = null;
afterAll(() => real?.stop());

// I-17, F97. Goal: whatever is done to mappings in whatever order, crashes of the service included, every answer is right.
// Method: commands of fast-check against the real service, its Postgres and a function that notes its calls; a model judges each answer.
// Not shrunk: a failure shows the seed and the commands that were run.
it(
  "I-17, F97: every answer about mappings is right, in any order of creates, updates, deletes and crashes",
  async () => {
    const own = await ModelWorld.start(shared.world, inject("KAFKA"));
    real = own;
    const marks = new Map<string, number>();
    const end = performance.now() + TIME_MS;
    let runs = 0;
    const commands = fc.commands(allCommands, { maxCommands: COMMANDS_MAX, size: "max" });
    await fc.assert(
      fc.asyncProperty(commands, async (chosen) => {
        const share = (end - performance.now()) / (RUNS - runs++);
        const model = new MappingModel(performance.now() + share);
        await fc.asyncModelRun(() => ({ model, real: own }), chosen);
        await clear(model, own);
        // Records that come now find nobody who may be called.
        for (let slot = 0; slot < SLOTS; slot++) await own.write(slot, 10);
        for (const uuid of model.uuids) await own.assertLegalHistory(uuid);
        own.assertQuiet(model);
        for (const [name, count] of Object.entries(model.marks))
          marks.set(name, (marks.get(name) ?? 0) + count);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // A run in which the rare events did not happen is no pass.
    for (const [name, count] of marks) expect(count, name).toBeGreaterThan(0);
    expect(own.functions.some(({ deliveries }) => deliveries.length > 0)).toBe(true);
  },
  SETUP_MS + TIME_MS,
);
