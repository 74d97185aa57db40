import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readKmsKeysFile } from "./kms-keys-file.ts";

const ARN = "arn:aws:kms:us-east-1:000000000000:key/a";
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "penstock-kms-"));
  for (const name of ["1", "2"]) {
    writeFileSync(join(folder, `${name}.key`), randomBytes(32).toString("base64"));
  }
  writeFileSync(join(folder, "short.key"), "c2VjcmV0LWNhbmFyeQ==");
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const path = join(folder, "keys.yaml");
  writeFileSync(path, text);
  return readKmsKeysFile(path);
}

describe("the KMS keys file", () => {
  it("maps ARNs to keys beside it, the newest first", async () => {
    const ring = await read(
      `keys:\n- { arn: "${ARN}", key_file: 2.key, older_key_files: [1.key] }`,
    );
    expect(ring.get(ARN)).toHaveLength(2);
    const alone = await read(`keys:\n- { arn: "${ARN}", key_file: ${join(folder, "2.key")} }`);
    expect(alone.get(ARN)?.[0].id).toEqual(ring.get(ARN)?.[0].id);
    expect((await read("keys: []")).size).toBe(0);
  });

  it.each([
    ["keys: 1", /list "keys"/],
    ["", /list "keys"/],
    ["keys: [1]", /entry 1: must have arn and key_file/],
    ["keys: [{ arn: nonsense, key_file: 1.key }]", /entry 1: arn/],
    [`keys: [{ arn: "${ARN}" }]`, /key_file must name a file/],
    [`keys: [{ arn: "${ARN}", key_file: 1.key, older: x }]`, /"older" is not known/],
    [`keys: [{ arn: "${ARN}", key_file: 1.key, older_key_files: x }]`, /older_key_files/],
    [`keys: [{ arn: "${ARN}", key_file: nowhere.key }]`, /nowhere\.key/],
    [`keys: [{ arn: "${ARN}", key_file: short.key }]`, /32 bytes in base64/],
    [
      `keys: [{ arn: "${ARN}", key_file: 1.key }, { arn: "${ARN}", key_file: 2.key }]`,
      /entry 2: its arn is there twice/,
    ],
  ])("I-21: refuses %s, naming the place and no secret", async (text, message) => {
    const refusal = expect(read(text)).rejects;
    await refusal.toThrow(message);
    await expect(read(text)).rejects.not.toThrow(/canary/);
  });
});
