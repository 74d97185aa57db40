import { describe, expect, it } from "vitest";
import { Scram, ScramFault, type ScramHash } from "./scram.ts";

/** The examples of RFC 5802, section 5, and RFC 7677, section 3. */
const EXAMPLES: readonly [ScramHash, string, string, string, string, string][] = [
  [
    "sha1",
    "fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
  ],
  [
    "sha256",
    "rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  ],
];

const NONCE = "rOprNGfwEbeRWgbNEkqO";
const scram = (username = "user") =>
  new Scram({ hash: "sha256", username, password: "pencil", nonce: NONCE });

describe("Scram", () => {
  it.each(EXAMPLES)(
    "says what the RFC's %s example says, and believes its server",
    async (...row) => {
      const [hash, nonce, serverFirst, clientFinal, serverLast, clientFirst] = row;
      const client = new Scram({ hash, username: "user", password: "pencil", nonce });
      expect(client.first()).toBe(clientFirst);
      expect(await client.final(serverFirst)).toBe(clientFinal);
      expect(() => client.verify(serverLast)).not.toThrow();
      expect(() => client.verify(`${serverLast.slice(0, 4)}A${serverLast.slice(5)}`)).toThrow(
        "could not prove",
      );
    },
  );

  it("escapes every comma and equals sign of a name", () => {
    expect(scram("a,b=c,d").first()).toBe(`n,,n=a=2Cb=3Dc=2Cd,r=${NONCE}`);
  });

  it.each([
    ["a nonce that isn't ours", "r=other,s=QSXC,i=4096"],
    ["our nonce without the server's", `r=${NONCE},s=QSXC,i=4096`],
    ["no salt", `r=${NONCE}x,i=4096`],
    ["few iterations", `r=${NONCE}x,s=QSXC,i=4095`],
    ["iterations without end", `r=${NONCE}x,s=QSXC,i=999999999`],
    ["iterations that are no number", `r=${NONCE}x,s=QSXC,i=5e3`],
    ["a mandatory extension", `m=x,r=${NONCE}x,s=QSXC,i=4096`],
    ["something else", "HTTP/1.1 400"],
    ["too much", `r=${NONCE}x,s=${"A".repeat(5_000)},i=4096`],
  ])("S-21: refuses %s before it says anything of the password", async (_what, serverFirst) => {
    await expect(scram().final(serverFirst)).rejects.toThrow(ScramFault);
  });

  it("S-21: believes no server that skips its proof", () => {
    expect(() => scram().verify("v=")).toThrow(ScramFault);
    expect(() => scram().verify("e=invalid-proof")).toThrow("refuses the credentials");
  });
});
