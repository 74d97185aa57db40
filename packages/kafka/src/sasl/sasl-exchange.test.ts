import type { SaslCredentials } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { authenticate, checkSasl, type SaslWire } from "./sasl-exchange.ts";

const PLAIN: SaslCredentials = { mechanism: "PLAIN", username: "alice", password: "pw" };
const TOKEN: SaslCredentials = {
  mechanism: "OAUTHBEARER",
  token: "abc.def",
  extensions: { logicalCluster: "lkc-1", identityPoolId: "pool-2" },
};

/** A broker that gives these answers, and what it was told. */
function broker(answers: readonly { errorCode?: number; authBytes?: string; session?: bigint }[]) {
  const heard: string[] = [];
  const rest = [...answers];
  const wire: SaslWire = {
    async handshake() {
      return { errorCode: 0, mechanisms: [] };
    },
    async authenticate(message) {
      heard.push(String(message));
      const { errorCode = 0, authBytes = "", session = 0n } = rest.shift() ?? {};
      return { errorCode, authBytes: Buffer.from(authBytes), sessionLifetimeMs: session };
    },
  };
  return { wire, heard };
}

describe("authenticate", () => {
  it("says what RFC 4616 says, and how long the session lasts", async () => {
    const { wire, heard } = broker([{ session: 60_000n }]);
    expect(await authenticate(wire, PLAIN, "b:1")).toBe(60_000);
    expect(heard).toEqual(["\0alice\0pw"]);
  });

  it("says what RFC 7628 says, with the extensions of KIP-342", async () => {
    const { wire, heard } = broker([{}]);
    expect(await authenticate(wire, TOKEN, "b:1")).toBe(0);
    expect(heard).toEqual([
      "n,,\x01auth=Bearer abc.def\x01logicalCluster=lkc-1\x01identityPoolId=pool-2\x01\x01",
    ]);
  });

  it("ends a refused token's exchange as RFC 7628 wants it", async () => {
    const { wire, heard } = broker([
      { authBytes: '{"status":"invalid_token"}' },
      { errorCode: 58 },
    ]);
    await expect(authenticate(wire, TOKEN, "b:1")).rejects.toMatchObject({
      code: "kafkaAuthentication",
    });
    expect(heard[1]).toBe("\x01");
  });

  it("I-21: repeats nothing of the secret, nor of what the broker says", async () => {
    const { wire } = broker([{ errorCode: 58, authBytes: "pw" }]);
    const refusal = authenticate(wire, { ...PLAIN, password: "hunter2" }, "b:1");
    await expect(refusal).rejects.toThrow(/^b:1 refused the username or password/);
    await expect(refusal).rejects.not.toThrow(/hunter2|alice/);
  });

  it("names mechanisms that are offered, and no other text of a broker", async () => {
    const wire: SaslWire = {
      ...broker([]).wire,
      handshake: async () => ({
        errorCode: 33,
        mechanisms: ["GSSAPI", "SCRAM-SHA-512", "<script>"],
      }),
    };
    await expect(authenticate(wire, PLAIN, "b:1")).rejects.toThrow(
      "does not offer the SASL mechanism PLAIN; it offers GSSAPI, SCRAM-SHA-512.",
    );
  });
});

describe("checkSasl", () => {
  it.each<[string, SaslCredentials]>([
    ["a NUL in a password", { ...PLAIN, password: "a\0b" }],
    ["no username", { ...PLAIN, username: "" }],
    ["a token with a line end", { ...TOKEN, token: "abc\r\n" }],
    ["an extension called auth", { ...TOKEN, extensions: { auth: "x" } }],
    ["an extension with a separator", { ...TOKEN, extensions: { a: "x\x01auth=Bearer y" } }],
  ])("refuses %s", (_what, credentials) => {
    expect(() => checkSasl(credentials)).toThrow(
      expect.objectContaining({ code: "secretMalformed" }),
    );
  });
});
