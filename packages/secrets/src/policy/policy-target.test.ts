import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policiesOfFile, policiesOfName, policyTargetOf } from "./policy-target.ts";
import { readPolicy } from "./secret-policy.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";

/** Each entry's policy is told by its subject, which is the entry. */
function targetsOf(secrets: readonly string[], isArnLocal = true) {
  return secrets.map((secret) => {
    const policy = readPolicy({ brokers: [], subjects: [secret] });
    if (typeof policy === "string") throw new Error(policy);
    return policyTargetOf({ secret, policy }, isArnLocal);
  });
}

async function ofFile(secrets: readonly string[], name: string, files: readonly string[] = [name]) {
  const found = await policiesOfFile(targetsOf(secrets), [name], async (file) =>
    files.includes(file),
  );
  return found.flatMap(({ subjects }) => [...subjects]).toSorted();
}

const BROAD = "arn:aws:secretsmanager:*";

describe("the entries about a file", () => {
  it.each([
    ["the ARN before the broad one", [`${ARN}orders-AbCdEf`, BROAD], [`${ARN}orders-AbCdEf`]],
    ["every spelling", [`${ARN}orders`, "file:orders", BROAD], [`${ARN}orders`, "file:orders"]],
    ["the longest beginning", ["file:ord*", `${ARN}*`, "*"], ["file:ord*"]],
    ["the longest beginning of ARNs", ["file:*", `${ARN}ord*`], [`${ARN}ord*`]],
    [
      "the narrower of one region",
      [BROAD, "arn:aws:secretsmanager:eu-*", "*"],
      ["arn:aws:secretsmanager:eu-*"],
    ],
    [
      "both of two regions",
      [`${ARN}*`, `${ARN.replace("eu-", "us-")}*`],
      [`${ARN}*`, `${ARN.replace("eu-", "us-")}*`],
    ],
    ["names with what AWS adds", [`${ARN}orders-*`, "file:o*"], [`${ARN}orders-*`, "file:o*"]],
    ["names with part of it", [`${ARN}orders-Ab*`], [`${ARN}orders-Ab*`]],
  ])("S-12: %s", async (_what, secrets, expected) => {
    expect(await ofFile(secrets, "orders")).toEqual(expected.toSorted());
  });

  it.each([
    "file:order",
    "file:orders2*",
    `${ARN}orders-Abc`,
    `${ARN}orders-AbCdEfG*`,
    "arn:aws:s3:*",
    "arn:aws:secretsmanager:eu-west-1:111122223333:other:*",
    "vault:orders",
    "vault:*",
  ])("%s is not about the file orders", async (secret) => {
    expect(await ofFile([secret], "orders")).toEqual([]);
  });

  it("a name that ends as if AWS had added to it is another secret when there is a file of that name", async () => {
    const secrets = [`${ARN}orders-secret`, `${ARN}orders-secret*`];
    const files = ["orders", "orders-secret"];
    expect(await ofFile(secrets, "orders", files)).toEqual([]);
    expect(await ofFile(secrets, "orders-secret", files)).toEqual([secrets[0]]);
    expect(await ofFile(secrets, "orders")).toEqual([secrets[0]]);
  });

  it("S-12: an entry of ARNs that could name a file counts for it, whatever region, account and added characters it was written with", async () => {
    const region = fc.constantFrom("eu-west-1", "us-east-1", "us-gov-west-1");
    const account = fc.stringMatching(/^\d{12}$/);
    const added = fc.stringMatching(/^(-[A-Za-z0-9]{6})?$/);
    await fc.assert(
      fc.asyncProperty(region, account, added, fc.nat(80), async (at, by, end, cut) => {
        const arn = `arn:aws:secretsmanager:${at}:${by}:secret:team/orders${end}`;
        expect(await ofFile([arn], "team/orders")).toEqual([arn]);
        const beginning = `${arn.slice(0, cut)}*`;
        expect(await ofFile([beginning], "team/orders")).toEqual([beginning]);
      }),
    );
  });
});

describe("the entries about a secret elsewhere", () => {
  const ofName = (secrets: readonly string[], uri: string) =>
    policiesOfName(targetsOf(secrets, false), uri).flatMap(({ subjects }) => [...subjects]);

  it("S-12: the exact one counts, else the longest beginning", () => {
    const secrets = ["vault:*", "vault:team/*", "vault:team/orders", `${ARN}orders-AbCdEf`, BROAD];
    expect(ofName(secrets, "vault:team/orders")).toEqual(["vault:team/orders"]);
    expect(ofName(secrets, "vault:team/other")).toEqual(["vault:team/*"]);
    expect(ofName(secrets, "vault:orders")).toEqual(["vault:*"]);
    expect(ofName(secrets, `${ARN}orders-AbCdEf`)).toEqual([`${ARN}orders-AbCdEf`]);
    expect(ofName(secrets, "env:PENSTOCK_SECRET_ORDERS")).toEqual([]);
  });

  it("S-12: ARNs of Secrets Manager are not about files", async () => {
    const targets = targetsOf([`${ARN}orders`, BROAD], false);
    expect(await policiesOfFile(targets, ["orders"], async () => true)).toEqual([]);
  });
});
