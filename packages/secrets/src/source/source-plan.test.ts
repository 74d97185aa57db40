import type { SourceAccess } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { planSource } from "./source-plan.ts";

const entry = (type: SourceAccess["type"], uri = "file:a"): SourceAccess => ({ type, uri });

describe("planSource", () => {
  it.each([
    ["BASIC_AUTH", "PLAIN"],
    ["SASL_SCRAM_256_AUTH", "SCRAM-SHA-256"],
    ["SASL_SCRAM_512_AUTH", "SCRAM-SHA-512"],
  ] as const)("%s is %s", (type, mechanism) => {
    expect(planSource([entry(type)])).toMatchObject({ login: { mechanism }, oauth: null });
  });

  it("OAUTHBEARER_AUTH takes its companions", () => {
    const plan = planSource([
      entry("OAUTHBEARER_IDENTITY_POOL", "pool-1"),
      entry("OAUTHBEARER_SCOPE", "kafka read"),
      entry("OAUTHBEARER_AUTH"),
      entry("OAUTHBEARER_AUDIENCE", "orders"),
      entry("OAUTHBEARER_LOGICAL_CLUSTER", "lkc-1"),
    ]);
    expect(plan).toMatchObject({
      oauth: {
        scope: "kafka read",
        audience: "orders",
        extensions: { logicalCluster: "lkc-1", identityPoolId: "pool-1" },
      },
    });
  });

  it("a client certificate, roots and one SASL mechanism go together; networks have no effect", () => {
    const plan = planSource([
      entry("VPC_SUBNET", "subnet:subnet-1"),
      entry("VPC_SUBNET", "subnet:subnet-2"),
      entry("VPC_SECURITY_GROUP", "security_group:sg-1"),
      entry("CLIENT_CERTIFICATE_TLS_AUTH", "file:client"),
      entry("SERVER_ROOT_CA_CERTIFICATE", "system"),
      entry("BASIC_AUTH", "file:login"),
    ]);
    expect(plan).toMatchObject({
      roots: "system",
      references: [{ uri: "file:login" }, { uri: "file:client" }],
    });
  });

  it.each([
    [[entry("BASIC_AUTH"), entry("SASL_SCRAM_512_AUTH")], "exclude each other"],
    [[entry("BASIC_AUTH"), entry("OAUTHBEARER_AUTH")], "exclude each other"],
    [[entry("BASIC_AUTH"), entry("BASIC_AUTH", "file:b")], "there twice"],
    [[entry("OAUTHBEARER_SCOPE", "kafka")], "needs OAUTHBEARER_AUTH"],
    [[entry("IAM_AUTH")], "not supported"],
    [[entry("VIRTUAL_HOST")], "not supported"],
    [[entry("BASIC_AUTH", "file:../a")], "the URI of BASIC_AUTH"],
    [[entry("BASIC_AUTH", "system")], "SERVER_ROOT_CA_CERTIFICATE only"],
  ])("%j is refused: %s", (access, problem) => {
    expect(planSource(access)).toContain(problem);
  });
});
