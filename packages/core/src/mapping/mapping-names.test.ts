import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { mappingArn, parseMappingArn, readMappingUuid } from "./mapping-names.ts";
import { refusal } from "./testing/mapping-requests.ts";

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const scope = { region: "us-east-1", accountId: "000000000000" };
const prefix = "arn:aws:lambda:us-east-1:000000000000";

describe("readMappingUuid", () => {
  it("takes either case", () => {
    expect(readMappingUuid(UUID.toUpperCase())).toBe(UUID);
  });

  it.each([
    [`${UUID}0`, "Member must have length less than or equal to 36"],
    [UUID.slice(1), "Member must have length greater than or equal to 36"],
    ["", "Member must have length greater than or equal to 36"],
    [
      `g${UUID.slice(1)}`,
      "Member must satisfy regular expression pattern: [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    ],
  ])("answers %j with a clean client error", (text, constraint) => {
    expect(refusal(() => readMappingUuid(text))).toMatchObject({
      type: "ValidationException",
      message: `1 validation error detected: Value '${text}' at 'uUID' failed to satisfy constraint: ${constraint}`,
      fields: ["uuid"],
    });
  });
});

describe("parseMappingArn", () => {
  it("is the way back from mappingArn", () => {
    expect(parseMappingArn(mappingArn(scope, UUID), scope)).toBe(UUID);
    expect(parseMappingArn(mappingArn(scope, UUID.toUpperCase()), scope)).toBe(UUID);
  });

  it.each([
    "",
    "arn",
    `${prefix}:event-source-mapping:x`,
    `${prefix}:event-source-mapping:${UUID}0`,
    `arn:aws:sqs:us-east-1:000000000000:event-source-mapping:${UUID}`,
    `${prefix}:event-source-mapping:${UUID}\n`,
    "a".repeat(257),
  ])("refuses %j as AWS refuses a malformed resource", (arn) => {
    const refused = refusal(() => parseMappingArn(arn, scope));
    expect(refused?.type).toBe("ValidationException");
    expect(refused?.message).toContain("at 'resource' failed to satisfy constraint: Member must ");
  });

  it.each([
    [`arn:aws:lambda:eu-west-1:000000000000:event-source-mapping:${UUID}`, "Event source mapping"],
    [`arn:aws:lambda:us-east-1:000000000001:event-source-mapping:${UUID}`, "Event source mapping"],
    [
      `arn:aws-cn:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
      "Event source mapping",
    ],
    [`${prefix}:function:f`, "Function"],
  ])("knows nothing of %s", (arn, kind) => {
    const act = () => parseMappingArn(arn, scope);
    expect(act).toThrow(PenstockError);
    expect(act).toThrow(`${kind} not found: ${arn}`);
  });
});
