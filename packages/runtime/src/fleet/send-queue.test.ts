import { describe, expect, it } from "vitest";
import { SendQueue } from "./send-queue.ts";

describe("SendQueue", () => {
  it("gives messages in order, those before and those after the reader came", async () => {
    const queue = new SendQueue<number>(10);
    queue.push(1);
    queue.push(2);
    const read = readAll(queue);
    await Promise.resolve();
    queue.push(3);
    queue.end();
    expect(await read).toEqual([1, 2, 3]);
  });

  it("I-15: takes no more than its limit", () => {
    const queue = new SendQueue<number>(2);
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
  });

  it("takes nothing after its end", async () => {
    const queue = new SendQueue<number>(2);
    queue.push(1);
    queue.end();
    expect(queue.push(2)).toBe(false);
    expect(await readAll(queue)).toEqual([1]);
  });
});

async function readAll(queue: SendQueue<number>): Promise<number[]> {
  const messages: number[] = [];
  for await (const message of queue) messages.push(message);
  return messages;
}
