import { describe, expect, it } from "vitest";
import { mappingArn } from "../mapping-names.ts";
import { functionArn, parseFunctionReference } from "./function-reference.ts";

const scope = { region: "us-east-1", accountId: "000000000000" };
const read = (text: string) => parseFunctionReference("function_name", text);

describe("parseFunctionReference", () => {
  it.each([
    ["f", "f", ""],
    ["f:1", "f", "1"],
    ["f:live", "f", "live"],
    ["f:$LATEST", "f", "$LATEST"],
    ["f:$LATEST.PUBLISHED", "f", "$LATEST.PUBLISHED"],
    ["function:f", "f", ""],
    ["123456789012:f", "f", ""],
    ["123456789012:function:f:$LATEST", "f", "$LATEST"],
    ["us-east-1:123456789012:function:f", "f", ""],
    ["arn:aws:lambda:eu-west-3:999999999999:function:f", "f", ""],
    ["arn:aws-us-gov:lambda:us-gov-west-1:999999999999:function:f:7", "f", "7"],
    ["arn:aws-cn:lambda:cn-north-1:999999999999:function:a.b_c-d:x", "a.b_c-d", "x"],
    ["__proto__", "__proto__", ""],
  ])("reads %s", (text, name, qualifier) => {
    expect(read(text)).toEqual({ name, qualifier });
  });

  it.each([
    "",
    ":",
    "f:",
    "f:a:b",
    "f g",
    "f\n",
    "f:$OTHER",
    "arn:aws:lambda:us-east-1:123:function:f",
    `arn:aws:lambda:us-east-1:123456789012:function:${"f".repeat(65)}`,
    `f:${"a".repeat(255)}`,
  ])("refuses %j", (text) => {
    expect(() => read(text)).toThrow(/function_name must be the name of a function/);
  });

  it("S-15: takes no longer for the most awkward text than for a good one", () => {
    const awkward = `${"arn:aws:lambda:".repeat(16)}${"a-".repeat(8)}!`;
    const start = performance.now();
    for (let times = 0; times < 1_000; times++) expect(() => read(awkward)).toThrow();
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe("ARNs", () => {
  it("echo the function as qualified as it was asked for, in this installation's account", () => {
    const arnOf = (text: string) => functionArn(scope, read(text));
    const base = "arn:aws:lambda:us-east-1:000000000000:function:f";
    expect(arnOf("f")).toBe(base);
    expect(arnOf("999999999999:function:f:$LATEST")).toBe(`${base}:$LATEST`);
    expect(arnOf("arn:aws:lambda:eu-west-3:999999999999:function:f:live")).toBe(`${base}:live`);
  });

  it("name mappings", () => {
    expect(mappingArn(scope, "u")).toBe(
      "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:u",
    );
  });
});
