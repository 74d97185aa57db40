/**
 * Programs in other languages that tests run: made once, into `.cache/`. Without Python or Go the tests that need them are skipped, and the
 * run says so.
 *
 *     describe.skipIf(missingForGo() !== undefined)("…", …)
 */
import { existsSync } from "node:fs";
import { constants, setPriority } from "node:os";
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

/** What is downloaded, before the first test. Says what can't be made and is skipped. */
export async function prepareDownloads(log: (line: string) => void): Promise<void> {
  const python = missingForPython();
  const go = missingForGo();
  if (go !== undefined) log(`Tests that need Go are skipped: ${go}.`);
  if (python !== undefined) log(`Tests that need Python are skipped: ${python}.`);
  else for (const file of REQUIREMENTS.filter(existsSync)) await ensurePython(file);
}

/** What is built: minutes of work the first time, so it is done beside the tests, with what they leave of the processor. */
export async function prepareBuilds(): Promise<void> {
  if (missingForGo() !== undefined) return;
  setPriority(constants.priority.PRIORITY_LOW);
  for (const make of [goClient, goFunctions, grpcurl]) await make();
}
