import { describe, expect, it } from "vitest";
import { LatestMessage } from "./latest-message.ts";

const create = () => new LatestMessage<number>((a, b) => a === b);

async function readAll(box: LatestMessage<number>): Promise<number[]> {
  const read: number[] = [];
  for await (const message of box.read()) read.push(message);
  return read;
}

describe("LatestMessage", () => {
  it("gives a slow reader the newest message alone", async () => {
    const box = create();
    box.put(1);
    box.put(2);
    box.end();
    expect(await readAll(box)).toEqual([2]);
  });

  it("wakes a waiting reader for each message, and drops equal ones", async () => {
    const box = create();
    const reader = box.read();
    const first = reader.next();
    box.put(1);
    expect(await first).toEqual({ value: 1, done: false });
    const second = reader.next();
    box.put(1);
    box.put(2);
    expect(await second).toEqual({ value: 2, done: false });
    const third = reader.next();
    box.end();
    expect(await third).toEqual({ value: undefined, done: true });
  });

  it("never lets the first message replace a newer one", async () => {
    const box = create();
    box.put(2);
    box.putFirst(1);
    box.end();
    expect(await readAll(box)).toEqual([2]);
  });

  it("says farewell once, with the last message changed, and nothing after it", async () => {
    const box = create();
    box.put(5);
    box.finish((last) => -last);
    box.put(6);
    box.finish((last) => -last);
    expect(await readAll(box)).toEqual([-5]);
    const empty = create();
    empty.finish((last) => -last);
    expect(await readAll(empty)).toEqual([]);
  });
});
