import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { plantedSecret } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { entry, type SecretsWorld, startSecrets, temporaryFolder } from "./secrets-world.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:";

/** What PLAIN would send to a broker, with the secret behind that reference. */
async function login({ secrets }: SecretsWorld, uri: string) {
  const source = secrets.sourceSecurity.open([entry("BASIC_AUTH", uri)], ["kafka:9096"]);
  const { sasl } = await source.credentials("kafka", 9096);
  return sasl?.mechanism === "PLAIN" ? `${sasl.username}:${sasl.password}` : null;
}

const open = { secretsWithoutPolicy: true };
const LOGIN = { username: "u", password: "p" };

describe("the folder of secrets", () => {
  it("gives files below it, also through links within it, as Kubernetes makes them", async () => {
    const world = await startSecrets(open);
    await world.put("team/orders", LOGIN);
    await world.put("..2026/mounted", LOGIN);
    await symlink("..2026", join(world.dir, "..data"));
    await symlink("..data/mounted", join(world.dir, "mounted"));
    for (const uri of ["file:team/orders", "file:mounted"]) {
      await expect(login(world, uri)).resolves.toBe("u:p");
    }
  });

  it("S-12: no link leads out of it, by a file or by a folder", async () => {
    const world = await startSecrets(open);
    const outside = await temporaryFolder();
    await writeFile(join(outside, "orders"), JSON.stringify(LOGIN));
    await symlink(join(outside, "orders"), join(world.dir, "orders"));
    await symlink(outside, join(world.dir, "team"));
    await symlink(`${world.dir}-else`, join(world.dir, "else"));
    for (const uri of ["file:orders", "file:team/orders", `${ARN}orders`]) {
      await expect(login(world, uri)).rejects.toMatchObject({ code: "secretMalformed" });
    }
    await expect(login(world, "file:else")).rejects.toMatchObject({ code: "secretMissing" });
  });

  it("a missing file, a folder, and a file beyond 65 536 bytes say what they are", async () => {
    const world = await startSecrets(open);
    await mkdir(join(world.dir, "folder"));
    const fill = (size: number): string => {
      const text = JSON.stringify({ ...LOGIN, fill: "" });
      return text.replace('""', `"${"x".repeat(size - text.length)}"`);
    };
    await world.put("full", fill(65_536));
    await world.put("large", fill(65_537));
    await world.put("binary", "");
    await writeFile(join(world.dir, "binary"), Buffer.from([0xff, 0xfe]));
    await expect(login(world, "file:full")).resolves.toBe("u:p");
    for (const [uri, code, words] of [
      ["file:absent", "secretMissing", "no such file"],
      ["file:full/below", "secretMissing", "no such file"],
      ["file:folder", "secretMalformed", "not a regular file"],
      ["file:large", "secretMalformed", "65536 bytes"],
      ["file:binary", "secretMalformed", "not UTF-8"],
    ]) {
      const failed = login(world, uri ?? "");
      await expect(failed).rejects.toMatchObject({ code });
      await expect(failed).rejects.toThrow(words ?? "");
    }
    const none = await startSecrets({ ...open, secretsDir: null });
    await expect(login(none, "file:a")).rejects.toThrow("PENSTOCK_SECRETS_DIR, which is not set");
  });

  it("ARNs lead to the file of their name, with or without the six characters that AWS adds", async () => {
    const world = await startSecrets(open);
    await world.put("orders", LOGIN);
    await world.put("billing-AbCdEf", { username: "b", password: "p" });
    await expect(login(world, `${ARN}orders`)).resolves.toBe("u:p");
    await expect(login(world, `${ARN}orders-AbCdEf`)).resolves.toBe("u:p");
    await expect(login(world, `${ARN}billing-AbCdEf`)).resolves.toBe("b:p");
    await expect(login(world, `${ARN}absent`)).rejects.toMatchObject({ code: "secretMissing" });
  });

  it("env: reads what main.ts was given", async () => {
    const env = { PENSTOCK_SECRET_LOGIN: JSON.stringify(LOGIN) };
    const world = await startSecrets(open, { env });
    await expect(login(world, "env:PENSTOCK_SECRET_LOGIN")).resolves.toBe("u:p");
    await expect(login(world, "env:PENSTOCK_SECRET_OTHER")).rejects.toMatchObject({
      code: "secretMissing",
    });
  });

  it("I-21: no failure shows what is inside", async () => {
    const world = await startSecrets(open);
    const secret = plantedSecret("folder");
    await world.put("text", secret);
    await world.put("half", `{"username": "u", "password": "${secret}"`);
    await world.put("number", { username: "u", password: { deep: secret } });
    await world.put("list", [secret]);
    for (const name of ["text", "half", "number", "list"]) {
      const error: unknown = await login(world, `file:${name}`).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "secretMalformed" });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    }
  });
});
