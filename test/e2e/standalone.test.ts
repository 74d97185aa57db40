import { expect, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../shared-world.ts";

const shared = sharedWorld({ isStandalone: true });

// Goal: the one-process form keeps the same promises. Method: two mappings with different functions, one that fails now and then; SIGTERM at the end.
it(
  "I-1, I-2, I-3, I-6, L-3: standalone carries records in order, retries, and stops with 0",
  async () => {
    const mapping = { windowMs: 20 };
    await shared.flow({ partitions: 3, mapping }, async (well) => {
      await shared.flow({ partitions: 3, mapping }, async (unwell) => {
        let calls = 0;
        unwell.function.answer = () => ({ status: ++calls % 5 === 0 ? 500 : 200 });
        await Promise.all([well.send(3000), unwell.send(1000)]);
        await Promise.all([well.drain(), unwell.drain()]);
        unwell.check();
      });
      well.check();
      expect(well.function.deliveredCount()).toBe(3000);
    });
    expect(await shared.world.mappingService.stop()).toBe(0);
  },
  SETUP_MS,
);
