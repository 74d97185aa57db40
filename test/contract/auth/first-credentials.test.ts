import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";
import { openSecurity, parseSettings, SECURITY_SETTINGS, SETTINGS } from "@penstock/runtime";
import { expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { capturedLog } from "../runtime/fleet-service.ts";

const SCRIPT = join(REPOSITORY_ROOT, "packages/runtime/scripts/make-credentials.ts");

function make(folder: string): string {
  return execFileSync(process.execPath, [SCRIPT, folder], { encoding: "utf8" });
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

const TOKENS = ["admin", "mapping", "poller", "invoker"]
  .map((name) => `${name}/token`)
  .concat("poller/invoker-token");
/** Only who is called with a token knows it. */
const KNOWN: Readonly<Record<string, object>> = {
  mapping: {
    "admin/token": "admin",
    "poller/token": "node,poller",
    "invoker/token": "node,invoker",
  },
  poller: { "admin/token": "admin", "mapping/token": "viewer" },
  invoker: { "admin/token": "admin", "poller/invoker-token": "node,poller" },
};

it("S-10: makes credentials that the services know which are called with them, for their owner alone, once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-first-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const said = make(folder);
  const files = filesOf(folder);
  const contents = () => files.map((path) => readFileSync(path, "utf8"));
  const made = contents();
  expect(files.every((path) => (statSync(path).mode & 0o077) === 0)).toBe(true);
  const token = (path: string) => readFileSync(join(folder, path), "utf8").trim();
  expect(said).not.toContain(token("admin/token"));
  for (const service of ["mapping", "poller", "invoker"]) {
    const settings = parseSettings(
      { host: SETTINGS.host, ...SECURITY_SETTINGS },
      { PENSTOCK_CREDENTIALS_FILE: join(folder, service, "credentials.yaml") },
    );
    const { access, close } = await openSecurity(settings, { log: capturedLog().log });
    onTestFinished(close);
    const known: Record<string, string> = {};
    for (const path of TOKENS) {
      const authorization = `Bearer ${token(path)}`;
      const shown = access.authenticate({ authorization, certificate: null });
      const caller = await shown.then((admission) => admission.caller).catch(() => null);
      if (caller !== null) known[path] = [...caller.roles, ...(caller.nodeServices ?? [])].join();
    }
    expect(known).toEqual(KNOWN[service]);
  }
  make(folder);
  expect(contents()).toEqual(made);
});

it("S-10: a poller shows invokers a token of their own, when it has one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-first-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  make(folder);
  const shown = async (more: Record<string, string>) => {
    const settings = parseSettings(
      { host: SETTINGS.host, ...SECURITY_SETTINGS },
      { PENSTOCK_NODE_TOKEN_FILE: join(folder, "poller/token"), ...more },
    );
    const { client, invokerClient, close } = await openSecurity(settings, {
      log: capturedLog().log,
    });
    close();
    return [client.authorization(), invokerClient.authorization()];
  };
  const bearer = (path: string) => `Bearer ${readFileSync(join(folder, path), "utf8").trim()}`;
  const own = bearer("poller/token");
  expect(await shown({})).toEqual([own, own]);
  const invokerToken = { PENSTOCK_INVOKER_TOKEN_FILE: join(folder, "poller/invoker-token") };
  expect(await shown(invokerToken)).toEqual([own, bearer("poller/invoker-token")]);
});

it("S-10: docker-compose gives each service, all of which bind beyond the loopback, credentials of its own", () => {
  const text = readFileSync(join(REPOSITORY_ROOT, "docker-compose.yml"), "utf8");
  const { services } = parse(text, { merge: true }) as {
    services: Record<string, { environment: Record<string, string>; volumes: string[] }>;
  };
  expect(services.poller?.environment).toMatchObject({
    PENSTOCK_INVOKER_TOKEN_FILE: "/credentials/poller/invoker-token",
  });
  for (const name of ["mapping", "poller", "invoker"]) {
    const service = services[name];
    expect(service?.environment).toMatchObject({
      PENSTOCK_CREDENTIALS_FILE: `/credentials/${name}/credentials.yaml`,
      PENSTOCK_NODE_TOKEN_FILE: `/credentials/${name}/token`,
    });
    const mounted = service?.volumes.filter((volume) => volume.startsWith("credentials-"));
    expect(mounted).toEqual([`credentials-${name}:/credentials/${name}:ro`]);
  }
});
