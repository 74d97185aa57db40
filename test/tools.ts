/**
 * Programs in other languages that tests run: made once, into `.cache/`. Without Python or Go the tests that need them are skipped, and the
 * run says so.
 *
 *     describe.skipIf(missingForGo() !== undefined)("…", …)
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  buildGo,
  ensurePython,
  installGo,
  missingForGo,
  missingForPython,
  REPOSITORY_ROOT,
} from "@penstock/local";

/** A first build of everything, on a small machine with a slow line. */
export const TOOLS_MS = 900_000;

const EXAMPLES = join(REPOSITORY_ROOT, "examples");
const GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";

/** The grpcurl that the documentation speaks of. */
export const grpcurl = (): Promise<string> => installGo("grpcurl", GRPCURL);

/** The example client in Go, built. */
export const goClient = (): Promise<string> =>
  buildGo({ name: "client", folder: join(EXAMPLES, "clients", "go") });

/** The example functions in Go, built. */
export const goFunctions = (): Promise<string> =>
  buildGo({ name: "functions", folder: join(EXAMPLES, "functions", "go") });

export const PYTHON_CLIENT = join(EXAMPLES, "clients", "python");
export const PYTHON_FUNCTIONS = join(EXAMPLES, "functions", "python");

/** Of one content, so they share one environment. */
const REQUIREMENTS = [
  join(PYTHON_CLIENT, "requirements.txt"),
  join(PYTHON_FUNCTIONS, "requirements.txt"),
  join(REPOSITORY_ROOT, "test", "contract", "aws", "requirements.txt"),
];

/** Makes all of it before the first test, so that no test waits for downloads and no build loads the machine while others run. */
export async function prepareTools(log: (line: string) => void): Promise<void> {
  const work: Promise<unknown>[] = [];
  const python = missingForPython();
  const go = missingForGo();
  if (python !== undefined) log(`Tests that need Python are skipped: ${python}.`);
  else work.push(inTurn(REQUIREMENTS.filter(existsSync).map((file) => () => ensurePython(file))));
  if (go !== undefined) log(`Tests that need Go are skipped: ${go}.`);
  else work.push(inTurn([grpcurl, goClient, goFunctions]));
  // Each ends before one's failure is told: nothing is left half-made.
  const ends = await Promise.allSettled(work);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function inTurn(all: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const make of all) await make();
}
