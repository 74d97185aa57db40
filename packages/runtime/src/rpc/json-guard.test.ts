import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JSON_DEPTH_MAX, JsonDepth } from "./json-depth.ts";
import { guardJson } from "./json-guard.ts";

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe("JsonDepth", () => {
  it("S-17: counts what a parser would nest, whatever strings contain", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 8 }), (value, max) => {
        const bytes = Buffer.from(JSON.stringify(value));
        expect(new JsonDepth(max).accept(bytes)).toBe(depthOf(value) <= max);
      }),
    );
  });

  it("S-17: doesn't care how the bytes are cut", () => {
    const text = Buffer.from(JSON.stringify({ 'a"\\': ['[{"', "\\", { b: [[]] }] }));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
        const depth = new JsonDepth(5);
        expect(pieces(text, cuts).every((piece) => depth.accept(piece))).toBe(true);
        const shallow = new JsonDepth(4);
        expect(pieces(text, cuts).every((piece) => shallow.accept(piece))).toBe(false);
      }),
    );
  });

  it("I-14: takes the limit and refuses one more", () => {
    expect(new JsonDepth().accept(Buffer.from(nested(JSON_DEPTH_MAX)))).toBe(true);
    expect(new JsonDepth().accept(Buffer.from(nested(JSON_DEPTH_MAX + 1)))).toBe(false);
  });
});

describe("guardJson", () => {
  it.each(["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])(
    "S-17: guards a bare body of %s",
    async (type) => {
      await expect(read(type, [nested(65)])).rejects.toThrow("nested deeper");
      await expect(read(type, [nested(64)])).resolves.toBe(nested(64));
    },
  );

  it.each(["application/connect+json", "application/grpc+json", "application/grpc-web+json"])(
    "S-17: guards each envelope of %s, and each anew",
    async (type) => {
      const good = envelope(`${"[".repeat(40)}`);
      await expect(read(type, [good, good, envelope("")])).resolves.toBeDefined();
      await expect(read(type, [good, envelope(nested(65))])).rejects.toThrow("nested deeper");
    },
  );

  it("S-17: finds envelopes however they are cut", async () => {
    const bytes = Buffer.concat(
      [envelope("{}"), envelope(nested(10)), envelope(nested(65))].map((part) =>
        Buffer.from(part, "latin1"),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length })), async (cuts) => {
        const parts = pieces(bytes, cuts).map((piece) => piece.toString("latin1"));
        await expect(read("application/connect+json", parts)).rejects.toThrow("nested deeper");
      }),
      { numRuns: 50 },
    );
  });

  it("leaves other formats alone", () => {
    const body = stream([nested(1000)]);
    expect(guardJson("application/proto", body)).toBe(body);
    expect(guardJson("application/grpc", body)).toBe(body);
    expect(guardJson("", body)).toBe(body);
  });
});

function envelope(text: string): string {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return head.toString("latin1") + text;
}

async function* stream(parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part, "latin1");
}

async function read(type: string, parts: readonly string[]): Promise<string> {
  let text = "";
  for await (const piece of guardJson(type, stream(parts))) {
    text += Buffer.from(piece).toString("latin1");
  }
  return text;
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...[...cuts].sort((left, right) => left - right), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}
