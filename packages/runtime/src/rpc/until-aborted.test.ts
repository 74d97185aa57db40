import { describe, expect, it } from "vitest";
import { streamUntilAborted, untilAborted } from "./until-aborted.ts";

const never = new Promise<never>(() => {});

async function* numbers(count: number) {
  for (let number = 0; number < count; number++) yield number;
}

async function readAll<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

describe("untilAborted", () => {
  it("gives the result or the failure of the work", async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });

  it("ends when the signal aborts, before or while it waits", async () => {
    const control = new AbortController();
    const waiting = untilAborted(never, control.signal);
    control.abort("reason");
    await expect(waiting).rejects.toBe("reason");
    await expect(untilAborted(never, control.signal)).rejects.toBe("reason");
  });

  it("F89: swallows a failure that comes after the abort", async () => {
    const work = Promise.withResolvers<void>();
    const waiting = untilAborted(work.promise, AbortSignal.abort("reason"));
    work.reject(new Error("late"));
    await expect(waiting).rejects.toBe("reason");
  });
});

describe("streamUntilAborted", () => {
  it("gives all messages", async () => {
    const { signal } = new AbortController();
    expect(await readAll(streamUntilAborted(numbers(3), signal))).toEqual([0, 1, 2]);
  });

  it("L-3: ends when the signal aborts, although the source hangs", async () => {
    const control = new AbortController();
    async function* hanging() {
      yield 1;
      await never;
    }
    const reading = readAll(streamUntilAborted(hanging(), control.signal));
    await Promise.resolve();
    control.abort("reason");
    await expect(reading).rejects.toBe("reason");
  });

  it("lets the source clean up when the reader leaves", async () => {
    let isCleanedUp = false;
    async function* source() {
      try {
        yield* numbers(10);
      } finally {
        isCleanedUp = true;
      }
    }
    for await (const _first of streamUntilAborted(source(), new AbortController().signal)) break;
    await new Promise(setImmediate);
    expect(isCleanedUp).toBe(true);
  });
});
