import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../../shared-world.ts";
import { anyCommand, type Command, clear, TOUR } from "./mapping-commands.ts";
import { MappingModel } from "./mapping-model.ts";
import { ModelWorld, SLOTS } from "./model-world.ts";

const RUNS = 3;
const COMMANDS_MAX = 40;
/** All runs together; what is left of the commands then is not run. */
const TIME_MS = 25_000;

const shared = sharedWorld();
let real: ModelWorld;
beforeAll(async () => {
  real = await ModelWorld.start(shared.world, inject("KAFKA"));
});
afterAll(() => real?.stop());

async function run(commands: Iterable<Command>, endsAt: number): Promise<MappingModel> {
  const model = new MappingModel(endsAt);
  await fc.asyncModelRun(() => ({ model, real }), commands);
  await clear(model, real);
  // Records that come now find nobody who may be called.
  for (let slot = 0; slot < SLOTS; slot++) await real.write(slot, 10);
  for (const uuid of model.uuids) await real.assertLegalHistory(uuid);
  real.assertQuiet(model);
  return model;
}

// I-17, F97. Goal: whatever is done to mappings in whatever order, crashes of the service included, every answer is right.
// Method: commands against the real service, its Postgres and functions that note their calls; a model judges each answer.
it(
  "I-17: a tour of creates, repeats, duplicates, updates, stops, crashes and deletes",
  async () => {
    const { marks } = await run(TOUR, Number.POSITIVE_INFINITY);
    // A run in which the rare events did not happen is no pass.
    for (const [name, count] of Object.entries(marks)) expect(count, name).toBeGreaterThan(0);
    expect(real.functions.some(({ deliveries }) => deliveries.length > 0)).toBe(true);
  },
  SETUP_MS,
);

// Not shrunk: a failure shows the seed and the commands that were run.
it(
  "I-17, F97: every answer about mappings is right, in any order",
  async () => {
    const end = performance.now() + TIME_MS;
    let runs = 0;
    const commands = fc.commands([anyCommand], { maxCommands: COMMANDS_MAX, size: "max" });
    await fc.assert(
      fc.asyncProperty(commands, async (chosen) => {
        const share = (end - performance.now()) / Math.max(1, RUNS - runs++);
        await run(chosen, performance.now() + share);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  SETUP_MS + TIME_MS,
);
