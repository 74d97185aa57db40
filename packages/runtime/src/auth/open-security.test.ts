import { describe, expect, it } from "vitest";
import { parseSettings } from "../settings/parse-settings.ts";
import { SECURITY_SETTINGS } from "../settings/table/security-settings.ts";
import { SETTINGS } from "../settings/table/settings-table.ts";
import { securityProblems } from "./open-security.ts";

const SCHEMA = { host: SETTINGS.host, ...SECURITY_SETTINGS };
const parse = (env: Record<string, string>) => () => parseSettings(SCHEMA, env, securityProblems);

describe("security settings", () => {
  it.each(["127.0.0.1", "127.8.8.8", "::1", "localhost"])("need nothing on %s", (host) => {
    expect(parse({ PENSTOCK_HOST: host })).not.toThrow();
  });

  it.each(["0.0.0.0", "::", "10.0.0.1", "penstock.example"])(
    "S-10: need credentials as soon as they bind %s",
    (host) => {
      expect(parse({ PENSTOCK_HOST: host })).toThrow(
        `PENSTOCK_HOST is beyond the loopback (${host}), and nobody has to authenticate: set PENSTOCK_CREDENTIALS_FILE or PENSTOCK_JWT_ISSUER`,
      );
      expect(parse({ PENSTOCK_HOST: host, PENSTOCK_CREDENTIALS_FILE: "c" })).not.toThrow();
    },
  );

  it.each([
    [{ PENSTOCK_JWT_ISSUER: "https://a" }, "PENSTOCK_JWT_AUDIENCE is needed"],
    [{ PENSTOCK_JWT_AUDIENCE: "a" }, "PENSTOCK_JWT_ISSUER is needed"],
    [{ PENSTOCK_JWT_KEYS: "http://a.example/keys" }, "must be an https URL"],
    [{ PENSTOCK_JWT_ALGORITHMS: "HS256" }, 'item "HS256" must be one of'],
    [{ PENSTOCK_JWT_ALGORITHMS: "none" }, 'item "none" must be one of'],
    [{ PENSTOCK_TLS_KEY_FILE: "k" }, "PENSTOCK_TLS_CERTIFICATE_FILE is needed"],
    [{ PENSTOCK_TLS_CERTIFICATE_FILE: "c" }, "PENSTOCK_TLS_KEY_FILE is needed"],
    [{ PENSTOCK_TLS_CLIENT_CA_FILE: "c" }, "PENSTOCK_CREDENTIALS_FILE is needed"],
    [{ PENSTOCK_NODE_ID: "poller-1" }, "must be a UUID"],
  ])("say of %j what is missing", (env, problem) => {
    expect(parse(env)).toThrow(problem);
  });
});
