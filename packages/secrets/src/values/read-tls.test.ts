import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { describe, expect, it } from "vitest";
import { readClientIdentity, readRoots } from "./read-tls.ts";

const PASSWORD = "turbine-7";
const NOW = Date.UTC(2030, 0, 1);
const data = (name: string): string =>
  readFileSync(new URL(`./testing/${name}.pem`, import.meta.url), "utf8");
const certificate = data("certificate");
const read = (members: Record<string, unknown>, wallMs = NOW) =>
  readClientIdentity("file:client", JSON.stringify(members), wallMs);

describe("readClientIdentity", () => {
  it.each(["pbes1-3des", "pbes2-aes", "pbes2-3des", "pbes2-scrypt"])(
    "reads a PKCS#8 key encrypted with %s, and so does a TLS connection",
    (name) => {
      const identity = read({ certificate, privateKey: data(name), privateKeyPassword: PASSWORD });
      expect(identity.certificate).toContain("BEGIN CERTIFICATE");
      createSecureContext({
        cert: identity.certificate,
        key: identity.privateKey,
        passphrase: identity.privateKeyPassword ?? "",
      });
    },
  );

  it("reads a plain PKCS#8 key", () => {
    expect(read({ certificate, privateKey: data("plain") }).privateKeyPassword).toBeNull();
  });

  it.each(["pbes1-md5-des", "pbes1-rc2"])("says of a %s key how to convert it", (name) => {
    const members = { certificate, privateKey: data(name), privateKeyPassword: PASSWORD };
    expect(() => read(members)).toThrow(
      "openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default",
    );
  });

  it.each([
    [
      "a wrong password",
      { privateKey: data("pbes2-aes"), privateKeyPassword: "other" },
      "can't be decrypted",
    ],
    ["no password", { privateKey: data("pbes2-aes") }, 'there is no "privateKeyPassword"'],
    ["a key that is not PKCS#8", { privateKey: data("sec1") }, "openssl pkcs8 -topk8"],
    ["a key that is none", { privateKey: "hello" }, "no PEM private key"],
    ["a key on one line", { privateKey: data("plain").replaceAll("\n", "\\n") }, "written out"],
    ["a damaged key", { privateKey: data("plain").replace(/\n.{20}/, "\n") }, "is damaged"],
    ["no key", {}, 'has no "privateKey"'],
    ["no certificate", { privateKey: data("plain"), certificate: "" }, 'has no "certificate"'],
    ["no PEM", { privateKey: data("plain"), certificate: "hello" }, "no PEM certificate"],
    [
      "a damaged certificate",
      { privateKey: data("plain"), certificate: certificate.replace(/\n.{20}/, "\n") },
      "is damaged",
    ],
    ["another type", { privateKey: 5 }, '"privateKey" must be text'],
  ])("I-21: %s is malformed, and the error names the member alone", (_what, members, problem) => {
    const all = { certificate, ...members };
    expect(() => read(all)).toThrow(expect.objectContaining({ code: "secretMalformed" }));
    expect(() => read(all)).toThrow(problem);
    expect(() => read(all)).toThrow("Secret file:client: ");
    try {
      read(all);
    } catch (error) {
      expect(String(error)).not.toContain("MI");
    }
  });

  it("a key of another certificate is malformed, also when its own is further down", () => {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    expect(() => read({ certificate, privateKey })).toThrow("does not belong");
  });

  it("an expired certificate is said with its day", () => {
    const members = { certificate, privateKey: data("plain") };
    expect(() => read(members, Date.UTC(2300, 0, 1))).toThrow(/expired on 21\d\d-\d\d-\d\d/);
  });
});

describe("readRoots", () => {
  it("takes several certificates and drops the text around them", () => {
    const text = JSON.stringify({ certificate: `# ours\n${certificate}\n# old\n${certificate}` });
    const roots = readRoots("file:ca", text, NOW);
    expect(roots.match(/BEGIN/g)).toHaveLength(2);
    expect(roots).not.toContain("#");
    expect(new X509Certificate(roots).subject).toBe("CN=penstock-client");
  });

  it.each(["[]", "null", "not json", '"text"', '{"__proto__": {"certificate": "x"}}'])(
    "S-16: %s is malformed",
    (text) => {
      expect(() => readRoots("file:ca", text, NOW)).toThrow(
        expect.objectContaining({ code: "secretMalformed" }),
      );
    },
  );
});
