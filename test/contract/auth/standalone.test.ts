import { createTestDatabase } from "@penstock/local";
import { startStandalone } from "@penstock/standalone-service";
import { createTestAuthority } from "@penstock/testkit";
import { expect, inject, it, onTestFinished } from "vitest";
import { capturedLog } from "../runtime/fleet-service.ts";
import { CredentialsFile, logged } from "./auth-world.ts";

it("S-10, S-21: all three services in one process come to each other with one credential, over TLS", async () => {
  const credentials = new CredentialsFile();
  onTestFinished(() => credentials.delete());
  const token = credentials.put("all", "roles: [node, viewer], service: [poller, invoker]");
  credentials.write();
  const authority = await createTestAuthority();
  const { certificate, privateKey } = await authority.issue(["127.0.0.1"]);
  const { log, lines } = capturedLog();
  const service = await startStandalone({
    log,
    signal: new AbortController().signal,
    env: {
      DATABASE_URL: await createTestDatabase(inject("POSTGRES")),
      PENSTOCK_DATA_DIR: credentials.folder,
      PENSTOCK_CREDENTIALS_FILE: credentials.path,
      PENSTOCK_NODE_TOKEN_FILE: credentials.file("token", token),
      PENSTOCK_NODE_ID: crypto.randomUUID(),
      PENSTOCK_TLS_CERTIFICATE_FILE: credentials.file("server.pem", certificate),
      PENSTOCK_TLS_KEY_FILE: credentials.file("server.key", privateKey),
      PENSTOCK_TLS_CA_FILE: credentials.file("ca.pem", authority.certificate),
      PENSTOCK_DRAIN_LIMIT_MS: "500",
      ...Object.fromEntries(
        ["MAPPING", "POLLER", "INVOKER"].flatMap((name) => [
          [`PENSTOCK_${name}_GRPC_PORT`, "0"],
          [`PENSTOCK_${name}_HTTP_PORT`, "0"],
        ]),
      ),
    },
  });
  onTestFinished(() => service.stop());
  await logged({ lines }, '"msg":"node joined"', '"kind":"poller"');
  await logged({ lines }, '"msg":"node joined"', '"kind":"invoker"');
  expect(lines.filter((line) => line.includes("call denied"))).toEqual([]);
  expect(lines.join("")).not.toContain(token);
});
