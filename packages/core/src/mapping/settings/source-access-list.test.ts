import { describe, expect, it } from "vitest";
import type { SourceAccessInput } from "../requests/mapping-input.ts";
import { SOURCE_ACCESS_TYPES, sourceAccessKind } from "../source-access.ts";
import { RULES, refusedCreate, refusedUpdate, stored } from "../testing/mapping-requests.ts";

const LIST = "source_access_configurations";
const one = (type: string, uri = "u"): SourceAccessInput => ({ type, uri });
const refused = (...sourceAccess: SourceAccessInput[]) => refusedCreate({ sourceAccess });
const supported = SOURCE_ACCESS_TYPES.filter((type) => sourceAccessKind(type) !== "unsupported");
const oauth = SOURCE_ACCESS_TYPES.filter((type) => sourceAccessKind(type) === "oauth");
const SASL = ["BASIC_AUTH", "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "OAUTHBEARER_AUTH"];

describe("source access configurations", () => {
  it.each(supported)("take %s, with what it needs", (type) => {
    const beside = oauth.includes(type) ? [one("OAUTHBEARER_AUTH")] : [];
    const sourceAccess = [...beside, one(type)];
    expect(stored({ sourceAccess }).sourceAccess).toEqual(sourceAccess);
    expect(refusedUpdate({ sourceAccess })).toBeNull();
  });

  it.each(["IAM_AUTH", "IAM_OAUTHBEARER_AUTH", "VIRTUAL_HOST"])("refuse %s", (type) => {
    const answer = refused({ type });
    expect(answer?.message).toBe(
      `Unsupported source access configuration type ${type} for given event source mapping type.`,
    );
    expect(answer?.fields).toEqual([`${LIST}[0].type`]);
  });

  it("refuse an unknown type with AWS's enum", () => {
    expect(refused(one("VPC_SUBNET"), one("FOO"))?.message).toBe(
      `1 validation error detected: Value 'FOO' at 'sourceAccessConfigurations.2.member.type' failed to satisfy constraint: Member must satisfy enum value set: [${SOURCE_ACCESS_TYPES.join(", ")}]`,
    );
  });

  it.each([
    ["file:a b", true],
    ["arn:aws:secretsmanager:us-east-1:000000000000:secret:k-AbCdEf", true],
    ["vault:kv/team/kafka", true],
    ["env:PENSTOCK_SECRET_KAFKA", true],
    ["file:a#b", false],
    ["file:a\n", false],
    ["", false],
  ])("judge the URI %j: %s", (uri, isAccepted) => {
    expect(refused(one("BASIC_AUTH", uri)) === null).toBe(isAccepted);
  });

  it("S-12: never repeat a URI, in which a secret may have been pasted", () => {
    const answer = refused(one("BASIC_AUTH", "hunter2!"));
    expect(JSON.stringify(answer)).not.toContain("hunter2");
    expect(answer?.message).toContain("Value '***' at 'sourceAccessConfigurations.1.member.uRI'");
  });

  it("need a URI", () => {
    expect(refused({ type: "BASIC_AUTH" })?.fields).toEqual([`${LIST}[0].uri`]);
    expect(refused({ type: "VPC_SUBNET" })?.fields).toEqual([`${LIST}[0].uri`]);
  });

  it("ask the installation about references to secrets, and about nothing else", () => {
    const asked: string[] = [];
    const rules = {
      ...RULES,
      checkSecretReference: (uri: string, type: string) => {
        asked.push(`${type} ${uri}`);
        return uri === "bad" ? "must begin with file:" : null;
      },
    };
    const sourceAccess = [one("BASIC_AUTH", "bad"), one("VPC_SUBNET", "subnet:s")];
    const answer = refusedCreate({ sourceAccess }, rules);
    expect(answer?.descriptions).toEqual([`${LIST}[0].uri must begin with file:.`]);
    expect(answer?.type).toBe("InvalidParameterValueException");
    expect(asked).toEqual(["BASIC_AUTH bad"]);
  });

  it.each(supported)("have %s once, unless it is a network", (type) => {
    const beside = oauth.includes(type) ? [one("OAUTHBEARER_AUTH")] : [];
    const answer = refused(...beside, one(type, "a"), one(type, "b"));
    expect(answer === null).toBe(type.startsWith("VPC_"));
  });

  it.each(SASL.flatMap((a) => SASL.filter((b) => a < b).map((b) => [a, b] as const)))(
    "have one SASL mechanism, not %s and %s",
    (a, b) => {
      expect(refused(one(a), one(b))?.fields).toEqual([LIST]);
    },
  );

  it("combine a mechanism with both certificates", () => {
    const certificates = [one("CLIENT_CERTIFICATE_TLS_AUTH"), one("SERVER_ROOT_CA_CERTIFICATE")];
    for (const type of SASL) expect(refused(one(type), ...certificates)).toBeNull();
  });

  it.each(oauth)("refuse %s without OAUTHBEARER_AUTH", (type) => {
    expect(refused(one(type), one("SASL_SCRAM_512_AUTH"))?.message).toBe(
      `Source access configuration type ${type} requires OAUTHBEARER_AUTH.`,
    );
  });
});
