import { create } from "@bufbuild/protobuf";
import { fleet } from "@penstock/proto";
import { describe, expect, it } from "vitest";
import { Outbox } from "./outbox.ts";

const assignments = (generation: bigint) => create(fleet.AssignmentsSchema, { generation });

async function take(messages: AsyncGenerator<fleet.JoinResponse>) {
  const next = await messages.next();
  return next.done ? undefined : next.value.message;
}

describe("Outbox", () => {
  it("I-15: keeps only the newest of each kind for a slow reader", async () => {
    const outbox = new Outbox();
    const messages = outbox.messages();
    outbox.welcome("r");
    expect((await take(messages))?.case).toBe("welcome");
    for (let generation = 1n; generation <= 1000n; generation++) {
      outbox.assignments(assignments(generation));
      outbox.stored(generation);
    }
    expect(await take(messages)).toMatchObject({
      case: "assignments",
      value: { generation: 1000n },
    });
    expect(await take(messages)).toMatchObject({
      case: "progressStored",
      value: { sequence: 1000n },
    });
    outbox.end();
    expect(await take(messages)).toBeUndefined();
  });

  it("announces a planned change before the assignments that make it, groups merged", async () => {
    const outbox = new Outbox();
    outbox.assignments(assignments(1n));
    outbox.plannedChange(["a"], 1000);
    outbox.plannedChange(["b", "a"], 3000);
    const messages = outbox.messages();
    expect(await take(messages)).toMatchObject({
      case: "plannedChange",
      value: { consumerGroupIds: ["a", "b"], duration: { seconds: 3n } },
    });
    expect((await take(messages))?.case).toBe("assignments");
  });

  it("wakes a reader that waits, and makes the difference only when it is read", async () => {
    const outbox = new Outbox();
    const messages = outbox.messages();
    const waiting = take(messages);
    let built = 0;
    outbox.functions(() => {
      built++;
      return null;
    });
    outbox.functions(() => {
      built++;
      return create(fleet.FunctionsSchema, { isSnapshot: true });
    });
    expect(await waiting).toMatchObject({ case: "functions", value: { isSnapshot: true } });
    expect(built).toBe(1);
  });

  it("ends while it waits", async () => {
    const outbox = new Outbox();
    const waiting = take(outbox.messages());
    outbox.end();
    expect(await waiting).toBeUndefined();
  });
});
