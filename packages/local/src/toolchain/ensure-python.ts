/**
 * Python programs and packages for tests and examples: a virtual environment for each pinned requirements file, made once.
 *
 *     .cache/python-<digest of the file and the interpreter>/bin/{python,aws,…}
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PenstockError } from "@penstock/core";
import { madeFolder } from "./made-folder.ts";
import { runTool } from "./run-tool.ts";

/** Downloads on a slow line. */
const SETUP_LIMIT_MS = 300_000;
const VERSION_MIN = [3, 9] as const;

export interface PythonEnvironment {
  /** The interpreter that knows the packages. */
  readonly python: string;
  /** The folder of the programs that the packages bring. */
  readonly bin: string;
}

/** Says in words what is missing to make environments, or undefined when all is there. */
export function missingForPython(): string | undefined {
  const about = interpreter();
  if (about === undefined) return "no python3 with its venv and ensurepip modules was found";
  const [major = 0, minor = 0] = about.version.split(".").map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  const isOld = major < majorMin || (major === majorMin && minor < minorMin);
  return isOld ? `python3 is ${about.version}, older than ${VERSION_MIN.join(".")}` : undefined;
}

/** Answers at once when the environment is there; otherwise makes it with venv and pip. */
export async function ensurePython(requirementsFile: string): Promise<PythonEnvironment> {
  const missing = missingForPython();
  if (missing !== undefined) {
    throw new PenstockError(
      "unavailable",
      `Python is needed and ${missing}. Install Python ${VERSION_MIN.join(".")} or later (on Debian also python3-venv).`,
    );
  }
  const { version = "", path = "" } = interpreter() ?? {};
  const folder = await madeFolder({
    name: "python",
    madeFrom: [readFileSync(requirementsFile), version, path],
    limitMs: SETUP_LIMIT_MS,
    async make(target) {
      await runTool("python3", ["-m", "venv", target]);
      await runTool(
        join(target, "bin", "python"),
        ["-m", "pip", "install", "--no-input", "--quiet", "--requirement", requirementsFile],
        { limitMs: SETUP_LIMIT_MS, env: { PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
      );
    },
  });
  const bin = join(folder, "bin");
  return { python: join(bin, "python"), bin };
}

let known: { readonly version: string; readonly path: string } | null | undefined;

/** Asked once: it takes a process. */
function interpreter(): { readonly version: string; readonly path: string } | undefined {
  if (known === undefined) {
    const program =
      "import sys, venv, ensurepip; print(sys.version.split()[0]); print(sys.executable)";
    try {
      const answer = execFileSync("python3", ["-c", program], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [version = "", path = ""] = answer.trim().split("\n");
      known = { version, path };
    } catch {
      known = null; // not installed, or without the two modules
    }
  }
  return known ?? undefined;
}
