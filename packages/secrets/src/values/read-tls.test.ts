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
      expect(identity.privateKey).toBe(data("plain"));
      createSecureContext({
        cert: identity.certificate,
        key: identity.privateKey,
      });
    },
  );

  it("reads a plain PKCS#8 key", () => {
    const { privateKey } = read({ certificate, privateKey: data("plain") });
    expect(privateKey).toBe(data("plain"));
  });

  it("S-06: a key that asks for too much work is refused before it is done", () => {
    // The iteration count of the key is a DER INTEGER of two bytes (2048); the altered key says 2^31 - 1.
    const der = Buffer.from(data("pbes2-aes").replace(/-----[^-]+-----|\s/g, ""), "base64");
    const at = der.indexOf(Buffer.from("02020800", "hex"));
    expect(at).toBeGreaterThan(0);
    const grown = Buffer.concat([
      der.subarray(0, at),
      Buffer.from("02047fffffff", "hex"),
      der.subarray(at + 4),
    ]);
    // Every length around it grows by two bytes: the key itself, and the sequences that lead to the count.
    for (const index of enclosing(grown, at)) grown.writeUInt8(grown.readUInt8(index) + 2, index);
    const privateKey = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${grown.toString("base64")}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    expect(() => read({ certificate, privateKey, privateKeyPassword: PASSWORD })).toThrow(
      "too many iterations",
    );
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

/** Where the lengths of the sequences stand that enclose a position. */
function enclosing(der: Buffer, position: number): number[] {
  const lengths: number[] = [];
  for (let at = 0; at < position; ) {
    const isLong = der.readUInt8(at + 1) === 0x81;
    const lengthAt = at + (isLong ? 2 : 1);
    const start = lengthAt + 1;
    const end = start + der.readUInt8(lengthAt);
    const isInside = position < end;
    if (isInside) lengths.push(lengthAt);
    at = isInside ? start : end;
  }
  return lengths;
}
