import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readJsonBody } from "./read-json-body.ts";

const LIMITS = { bytesMax: 200, depthMax: 5 };

function body(...chunks: (string | Buffer)[]): IncomingMessage {
  return Readable.from(chunks.map((chunk) => Buffer.from(chunk))) as unknown as IncomingMessage;
}

describe("readJsonBody", () => {
  it("parses a body that arrives in pieces, also inside a character", async () => {
    const bytes = Buffer.from('{"a":"ä"}');
    const read = readJsonBody(body(bytes.subarray(0, 7), bytes.subarray(7)), LIMITS);
    expect(await read).toEqual({ a: "ä" });
  });

  it("reads an empty body as undefined", async () => {
    expect(await readJsonBody(body(), LIMITS)).toBeUndefined();
  });

  it("S-17: refuses one byte over the limit", async () => {
    const text = JSON.stringify("x".repeat(198));
    expect(await readJsonBody(body(text), LIMITS)).toHaveLength(198);
    await expect(readJsonBody(body(`${text} `), LIMITS)).rejects.toMatchObject({
      code: "limitExceeded",
    });
  });

  it("S-17: refuses one level too deep, before parsing", async () => {
    expect(await readJsonBody(body("[[[[[]]]]]"), LIMITS)).toEqual([[[[[]]]]]);
    await expect(readJsonBody(body("[[[[[[not json"), LIMITS)).rejects.toThrow("levels deep");
  });

  it.each(["{", "nope", '{"a":1}}', Buffer.from([0x22, 0xff, 0x22])])(
    "refuses %j",
    async (text) => {
      await expect(readJsonBody(body(text), LIMITS)).rejects.toMatchObject({
        code: "invalidArgument",
      });
    },
  );

  it("S-16: leaves __proto__ inert", async () => {
    const read = (await readJsonBody(body('{"__proto__":{"admin":true}}'), LIMITS)) as object;
    expect("admin" in read).toBe(false);
    expect("admin" in {}).toBe(false);
  });
});
