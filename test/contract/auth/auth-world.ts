/** A whole control plane with credentials configured, on free ports, in this process; and how to come to it as anybody. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseInvokerSettings, startInvokerService } from "@penstock/invoker-service";
import { createTestDatabase } from "@penstock/local";
import { parseMappingSettings, startMappingService } from "@penstock/mapping-service";
import { parsePollerSettings, startPollerService } from "@penstock/poller-service";
import {
  type ClientSecurity,
  createRpcTransport,
  PLAIN_CLIENT,
  type RpcTransport,
  type Service,
  startTelemetry,
} from "@penstock/runtime";
import { keepText, plantedSecret, waitUntil } from "@penstock/testkit";
import { capturedLog } from "../runtime/fleet-service.ts";

/** A key of the credentials file's `access_keys`. */
export const ACCESS_KEYS = {
  viewer: { id: "AKIAVIEWER0000000001", secret: plantedSecret("access-key") },
  operator: { id: "AKIAOPERATOR00000001", secret: plantedSecret("access-key") },
  expired: { id: "AKIAEXPIRED000000001", secret: plantedSecret("access-key") },
} as const;

export const PAST = "2020-01-01T00:00:00Z";

export class CredentialsFile {
  readonly folder: string = mkdtempSync(join(tmpdir(), "penstock-auth-"));
  readonly path: string = join(this.folder, "credentials.yaml");
  readonly #tokens = new Map<string, { token: string; entry: string }>();
  /** More sections. */
  more = "";

  /** Adds or replaces a token with these fields, and answers it. */
  put(name: string, fields: string): string {
    const token = `${plantedSecret("token")}-${randomBytes(24).toString("base64url")}`;
    const sha256 = createHash("sha256").update(token).digest("hex");
    this.#tokens.set(name, { token, entry: `{ name: ${name}, sha256: ${sha256}, ${fields} }` });
    return token;
  }

  remove(name: string): void {
    this.#tokens.delete(name);
  }

  token(name: string): string {
    return this.#tokens.get(name)?.token ?? "";
  }

  /** In one step, as an operator should. */
  write(): void {
    const entries = [...this.#tokens.values()].map(({ entry }) => `  - ${entry}\n`);
    this.file("credentials.yaml", `tokens:\n${entries.join("")}${this.more}`);
  }

  /** Puts a file beside it and answers its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Who calls in these tests. */
export function testCredentials(): CredentialsFile {
  const file = new CredentialsFile();
  for (const role of ["viewer", "operator", "admin"]) file.put(role, `roles: [${role}]`);
  file.put("poller", "roles: [node], service: poller");
  file.put("invoker", "roles: [node], service: invoker");
  file.put("expired", `roles: [admin], expires: ${PAST}`);
  const { viewer, operator, expired } = ACCESS_KEYS;
  file.more = `access_keys:
  - { name: key-viewer, id: ${viewer.id}, secret: ${viewer.secret}, roles: [viewer] }
  - { name: key-operator, id: ${operator.id}, secret: ${operator.secret}, roles: [operator] }
  - { name: key-expired, id: ${expired.id}, secret: ${expired.secret}, roles: [admin], expires: ${PAST} }
`;
  file.write();
  return file;
}

/** Comes with this token; null = without credentials. */
export function bearer(token: string | null, tls: ClientSecurity["tls"] = null): ClientSecurity {
  return { ...PLAIN_CLIENT, tls, authorization: () => (token === null ? null : `Bearer ${token}`) };
}

export interface AuthWorld {
  readonly credentials: CredentialsFile;
  readonly mapping: Service;
  readonly poller: Service;
  readonly invoker: Service;
  /** Everything that was logged. */
  readonly lines: readonly string[];
  transport(address: string, security: ClientSecurity): RpcTransport;
  stop(): Promise<void>;
}

/** @param more settings of all three */
export async function startAuthWorld(
  postgres: string,
  credentials: CredentialsFile,
  more: Readonly<Record<string, string>> = {},
): Promise<AuthWorld> {
  const { log, lines } = capturedLog();
  const ends: (() => Promise<void> | void)[] = [];
  const env = (tokenOf: string): Record<string, string> => ({
    DATABASE_URL: "",
    PENSTOCK_DATA_DIR: credentials.folder,
    PENSTOCK_CREDENTIALS_FILE: credentials.path,
    PENSTOCK_NODE_TOKEN_FILE: credentials.file(`${tokenOf}.token`, credentials.token(tokenOf)),
    PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
    PENSTOCK_DRAIN_LIMIT_MS: "500",
    ...Object.fromEntries(
      ["MAPPING", "POLLER", "INVOKER"].flatMap((name) => [
        [`PENSTOCK_${name}_GRPC_PORT`, "0"],
        [`PENSTOCK_${name}_HTTP_PORT`, "0"],
      ]),
    ),
    ...more,
  });
  const telemetry = (service: string) => {
    const started = startTelemetry({ service, instanceId: randomUUID(), env: {}, log });
    ends.unshift(() => started.shutdown());
    return started;
  };
  const running = <T extends Service>(service: T): T => {
    ends.unshift(() => service.stop());
    return service;
  };
  const mappingTelemetry = telemetry("penstock-mapping");
  const mapping = running(
    await startMappingService(
      parseMappingSettings({ ...env("viewer"), DATABASE_URL: await createTestDatabase(postgres) }),
      {
        log,
        meter: mappingTelemetry.meter,
        metrics: (request, response) => mappingTelemetry.metricsHandler(request, response),
      },
    ),
  );
  const near = { PENSTOCK_MAPPING_SERVICE: mapping.grpc };
  const invoker = running(
    await startInvokerService({
      settings: parseInvokerSettings({ ...env("invoker"), ...near }),
      log,
      telemetry: telemetry("penstock-invoker"),
    }),
  );
  const poller = running(
    await startPollerService({
      settings: parsePollerSettings({ ...env("poller"), ...near }),
      log,
      telemetry: telemetry("penstock-poller"),
    }),
  );
  return {
    credentials,
    mapping,
    poller,
    invoker,
    lines,
    transport(address, security) {
      const transport = createRpcTransport({ address, security });
      ends.unshift(() => transport.close());
      return transport;
    },
    async stop() {
      for (const end of ends) await end();
      keepText("logs", "auth", lines.join("\n"));
      credentials.delete();
    },
  };
}

/** Waits until a line was logged that says so. */
export async function logged(world: Pick<AuthWorld, "lines">, ...texts: string[]): Promise<void> {
  await waitUntil(`a line with ${texts.join(" and ")}`, () =>
    world.lines.some((line) => texts.every((text) => line.includes(text))),
  );
}
