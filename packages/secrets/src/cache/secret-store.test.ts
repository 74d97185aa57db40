import { inspect } from "node:util";
import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import type { SecretReference } from "../reference/secret-reference.ts";
import type { SecretReader, SecretReaders } from "../stores/secret-reader.ts";
import { SecretStore } from "./secret-store.ts";

const TTL_MS = 60_000;

/** A store in memory that is asked by hand: `answer` is what it says, `reads` what it was asked for. */
class HandReader implements SecretReader {
  isRemote = true;
  readonly reads: string[] = [];
  answer: () => string | Promise<string> = () => "first";

  async read({ uri }: SecretReference): Promise<string> {
    this.reads.push(uri);
    return await this.answer();
  }
}

const away = (): never => {
  throw new PenstockError("secretUnavailable", "away");
};
const gone = (): never => {
  throw new PenstockError("secretMissing", "gone");
};
const vault = (path: string): SecretReference => ({ kind: "vault", uri: `vault:${path}`, path });
const A = vault("a");

function open(entriesMax = 10) {
  const reader = new HandReader();
  const time = { nowMs: 0 };
  const warnings: string[] = [];
  const readers = { arn: reader, file: reader, env: reader, vault: reader } as SecretReaders;
  const store = new SecretStore({
    readers,
    clock: { nowMs: () => time.nowMs, wallMs: () => time.nowMs },
    ttlMs: TTL_MS,
    entriesMax,
    log: { warn: (message) => warnings.push(message) },
  });
  const read = async (reference = A) => (await store.read(reference)).reveal();
  return { reader, time, warnings, store, read };
}

describe("SecretStore", () => {
  it("reads once for everybody who asks at the same time, and again only when the value is old", async () => {
    const { reader, time, read } = open();
    await expect(Promise.all([read(), read(), read()])).resolves.toEqual([
      "first",
      "first",
      "first",
    ]);
    expect(reader.reads).toHaveLength(1);
    time.nowMs = TTL_MS - 1;
    await read();
    expect(reader.reads).toHaveLength(1);
    reader.answer = () => "second";
    time.nowMs = TTL_MS;
    await expect(read()).resolves.toBe("second");
  });

  it("a value that was refused is read again at the next call, whatever its age", async () => {
    const { reader, time, store, read } = open();
    const { version } = await store.read(A);
    reader.answer = () => "second";
    time.nowMs = 2_000;
    store.refused(A.uri, version);
    await expect(read()).resolves.toBe("second");
    store.refused(A.uri, version);
    time.nowMs = 4_000;
    await read();
    expect(reader.reads).toHaveLength(2);
  });

  it("a refusal while a read is under way asks once more after it", async () => {
    const { reader, time, store, read } = open();
    reader.isRemote = false;
    const { version } = await store.read(A);
    let release = (_text: string): void => {};
    reader.answer = () => new Promise<string>((resolve) => (release = resolve));
    time.nowMs = TTL_MS;
    const early = read();
    await Promise.resolve();
    store.refused(A.uri, version);
    const late = read();
    reader.answer = () => "second";
    // What the read under way brings is what was refused.
    release("first");
    await expect(early).resolves.toBe("first");
    await expect(late).resolves.toBe("second");
  });

  it("I-19: the last value stays in use while the store is away, which is asked once a second at most", async () => {
    const { reader, time, warnings, read } = open();
    await read();
    reader.answer = away;
    time.nowMs = TTL_MS;
    await expect(read()).resolves.toBe("first");
    await expect(read()).resolves.toBe("first");
    expect(reader.reads).toHaveLength(2);
    time.nowMs += 1_000;
    await expect(read()).resolves.toBe("first");
    expect(reader.reads).toHaveLength(3);
    expect(warnings).toHaveLength(1);
    reader.answer = () => "second";
    time.nowMs += 1_000;
    await expect(read()).resolves.toBe("second");
  });

  it("a secret that is gone is forgotten at once, and found again when it is back", async () => {
    const { reader, time, read } = open();
    await read();
    reader.answer = gone;
    time.nowMs = TTL_MS;
    await expect(read()).rejects.toMatchObject({ code: "secretMissing" });
    reader.answer = away;
    time.nowMs += 1_000;
    await expect(read()).rejects.toMatchObject({ code: "secretUnavailable" });
    reader.answer = () => "second";
    await expect(read()).rejects.toMatchObject({ code: "secretUnavailable" });
    time.nowMs += 1_000;
    await expect(read()).resolves.toBe("second");
  });

  it("keeps a bounded number of entries: the one used longest ago makes room", async () => {
    const { reader, read } = open(2);
    await read(vault("a"));
    await read(vault("b"));
    await read(vault("a"));
    await read(vault("c"));
    await read(vault("a"));
    expect(reader.reads).toEqual(["vault:a", "vault:b", "vault:c"]);
    await read(vault("b"));
    expect(reader.reads).toHaveLength(4);
  });

  it("reads a bounded number of secrets at once", async () => {
    const { reader, read } = open(100);
    const waiting: (() => void)[] = [];
    reader.answer = () => new Promise<string>((resolve) => waiting.push(() => resolve("x")));
    const all = Promise.all(Array.from({ length: 40 }, (_, index) => read(vault(String(index)))));
    await new Promise(setImmediate);
    expect(reader.reads).toHaveLength(16);
    while (reader.reads.length < 40 || waiting.length > 0) {
      for (const answer of waiting.splice(0)) answer();
      await new Promise(setImmediate);
    }
    await expect(all).resolves.toHaveLength(40);
  });

  it("I-21: neither a value nor its version can be read out of what it shows", async () => {
    const { reader, store } = open();
    reader.answer = () => "a-very-secret-word";
    const value = await store.read(A);
    const shown = [
      inspect(value),
      JSON.stringify(value),
      String(value),
      `${value}`,
      inspect(store, { depth: 9 }),
    ];
    expect(shown.join()).not.toContain("a-very-secret-word");
    expect(shown.slice(0, 4)).not.toContain(value.version);
  });
});
