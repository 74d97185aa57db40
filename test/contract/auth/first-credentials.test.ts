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

it("makes credentials that every service knows, for their owner alone, once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-first-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const said = make(folder);
  const files = filesOf(folder);
  const contents = () => files.map((path) => readFileSync(path, "utf8"));
  const made = contents();
  expect(files.every((path) => (statSync(path).mode & 0o077) === 0)).toBe(true);
  const token = (name: string) => readFileSync(join(folder, name, "token"), "utf8").trim();
  expect(said).not.toContain(token("admin"));
  for (const service of ["mapping", "poller", "invoker"]) {
    const settings = parseSettings(
      { host: SETTINGS.host, ...SECURITY_SETTINGS },
      { PENSTOCK_CREDENTIALS_FILE: join(folder, service, "credentials.yaml") },
    );
    const { access, close } = await openSecurity(settings, { log: capturedLog().log });
    onTestFinished(close);
    const roles = async (name: string) => {
      const authorization = `Bearer ${token(name)}`;
      const { caller } = await access.authenticate({ authorization, certificate: null });
      return [...caller.roles, ...(caller.nodeServices ?? [])].join();
    };
    expect(await roles("admin")).toBe("admin");
    expect(await roles("mapping")).toBe("viewer");
    expect(await roles("poller")).toBe("node,poller");
    expect(await roles("invoker")).toBe("node,invoker");
  }
  make(folder);
  expect(contents()).toEqual(made);
});

it("S-10: docker-compose gives each service, all of which bind beyond the loopback, credentials of its own", () => {
  const text = readFileSync(join(REPOSITORY_ROOT, "docker-compose.yml"), "utf8");
  const { services } = parse(text, { merge: true }) as {
    services: Record<string, { environment: Record<string, string>; volumes: string[] }>;
  };
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
