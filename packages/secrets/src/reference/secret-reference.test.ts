import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSecretReference, secretReferenceProblem } from "./secret-reference.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:";

describe("parseSecretReference", () => {
  it.each([
    ["file:orders", { kind: "file", path: "orders" }],
    ["file:team-a/orders.json", { kind: "file", path: "team-a/orders.json" }],
    ["env:PENSTOCK_SECRET_ORDERS", { kind: "env", name: "PENSTOCK_SECRET_ORDERS" }],
    ["vault:team-a/orders", { kind: "vault", path: "team-a/orders" }],
    [`${ARN}orders-AbCdEf`, { kind: "arn", region: "us-east-1", name: "orders-AbCdEf" }],
    [
      "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:a/b",
      { kind: "arn", region: "us-gov-west-1", name: "a/b" },
    ],
  ])("takes %s", (uri, expected) => {
    expect(parseSecretReference(uri)).toEqual({ ok: true, reference: { uri, ...expected } });
  });

  it.each([
    ["", "must not be empty"],
    ["x".repeat(201), "at most 200 characters"],
    ["file:a#b", "letters, digits, blanks"],
    ["password123", "never the secret itself"],
    ["https://vault/secret", "must begin with"],
    ["file:/etc/passwd", "not an absolute one"],
    ["file:../orders", "no . and .."],
    ["file:a/../../orders", "no . and .."],
    ["file:a/./b", "no . and .."],
    ["file:", "is not empty"],
    ["file:a//b", "no empty part"],
    ["file:a/", "no empty part"],
    ["file:.hidden", "begins with a dot"],
    ["file:a b", "letters, digits and"],
    ["file:orders.policy.yaml", ".policy.yaml"],
    ["env:HOME", "PENSTOCK_SECRET_"],
    ["env:DATABASE_URL", "PENSTOCK_SECRET_"],
    ["env:PENSTOCK_SECRET_", "PENSTOCK_SECRET_"],
    ["env:PENSTOCK_SECRETS_DIR", "PENSTOCK_SECRET_"],
    ["vault:../sys/raw", "no . and .."],
    ["vault:", "is not empty"],
    ["arn:aws:s3:::bucket", "arn:aws:secretsmanager:<region>"],
    ["arn:aws:secretsmanager:us-east-1:1:secret:a", "arn:aws:secretsmanager:<region>"],
    [`${ARN}../a`, "no . and .."],
    ["system", "SERVER_ROOT_CA_CERTIFICATE only"],
  ])("refuses %j and says why", (uri, problem) => {
    expect(parseSecretReference(uri)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(problem),
    });
  });

  it("system is a root for SERVER_ROOT_CA_CERTIFICATE and nothing else", () => {
    expect(secretReferenceProblem("system")).toBeNull();
    expect(secretReferenceProblem("system", "SERVER_ROOT_CA_CERTIFICATE")).toBeNull();
    expect(secretReferenceProblem("system", "BASIC_AUTH")).toContain("SERVER_ROOT_CA_CERTIFICATE");
  });

  it("S-12: is total, and no path that it takes climbs or is absolute", () => {
    const unit = fc.constantFrom(..."ab./:_+=@- *A".split(""), "..", "file:", "vault:", ARN);
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (uri) => {
        const parsed = parseSecretReference(uri);
        if (!parsed.ok) return parsed.problem !== "";
        const { reference } = parsed;
        const path = "path" in reference ? reference.path : reference.name;
        return path.split("/").every((part) => part !== "" && !part.startsWith("."));
      }),
    );
  });
});
