import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PenstockError } from "@penstock/core";
import { freePort, isPortFree } from "../process/free-port.ts";
import { PORTS, type PortName } from "./quick-start-settings.ts";

/** Replaces 0 by free ports, and refuses ports that somebody else listens on: all of them in one message. */
export async function settlePorts(
  wanted: Readonly<Record<PortName, number>>,
): Promise<Record<PortName, number>> {
  const settled = { ...wanted };
  const taken: string[] = [];
  for (const name of Object.keys(PORTS) as PortName[]) {
    const [what, variable] = PORTS[name];
    if (settled[name] === 0) settled[name] = await portBeside(Object.values(settled));
    else if (!(await isPortFree(settled[name]))) {
      taken.push(`  ${settled[name]}  ${what}: stop what listens there, or set ${variable}`);
    }
  }
  if (taken.length === 0) return settled;
  throw new PenstockError("unavailable", `These ports are in use:\n${taken.join("\n")}`);
}

/**
 * The port of a server whose data refers to its address, and that therefore keeps its port from one start to the
 * next: the given one, else the remembered one, else the usual one when it is free, else any.
 */
export async function rememberedPort(
  file: string,
  name: "Kafka" | "Postgres",
  given: number | undefined,
  usual: number | undefined,
): Promise<number> {
  const remembered = readPorts(file);
  const kept = given || remembered[name];
  const isAny = given === 0 || usual === undefined;
  if (kept !== undefined && !(await isPortFree(kept))) {
    const variable = `PENSTOCK_${name.toUpperCase()}_PORT`;
    throw new PenstockError(
      "unavailable",
      `Port ${kept}, where the local ${name} has to listen, is in use. Stop what listens there, or set ${variable}.`,
    );
  }
  const isUsualFree = !isAny && (await isPortFree(usual));
  const port = kept ?? (isUsualFree ? usual : await freePort());
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...remembered, [name]: port })}\n`);
  return port;
}

/** A free port that isn't among `others`: nobody listens on those yet. */
async function portBeside(others: readonly number[]): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (!others.includes(port)) return port;
  }
}

function readPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
  } catch {
    return {}; // the first start
  }
}
