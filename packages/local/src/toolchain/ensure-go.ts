/**
 * Go programs for tests and examples, each built once.
 *
 *     .cache/go-<name>-<digest of what it is built from>/<name>
 *
 * Nothing of it is needed to run Penstock: without Go the tests that need it are skipped.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PenstockError } from "@penstock/core";
import { REPOSITORY_ROOT } from "../repository-root.ts";
import { madeFolder } from "./made-folder.ts";
import { runTool } from "./run-tool.ts";

/** From here on Go fetches the toolchain that a module asks for. */
const VERSION_MIN = [1, 21] as const;
/** A first build compiles gRPC: minutes on a small machine. */
const BUILD_LIMIT_MS = 900_000;

/** Says in words what is missing to build Go programs, or undefined when all is there. */
export function missingForGo(): string | undefined {
  const version = goVersion();
  if (version === null) return "go was not found";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  const isOld = major < majorMin || (major === majorMin && minor < minorMin);
  return isOld ? `go is ${version}, older than ${VERSION_MIN.join(".")}` : undefined;
}

/** A published program, such as `installGo("grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3")`; answers its path. */
export async function installGo(name: string, module: string): Promise<string> {
  requireGo();
  const folder = await madeFolder({
    name: `go-${name}`,
    madeFrom: [module],
    limitMs: BUILD_LIMIT_MS,
    async make(target) {
      await runTool("go", ["install", module], { env: { GOBIN: target }, limitMs: BUILD_LIMIT_MS });
    },
  });
  return join(folder, name);
}

export interface GoProgram {
  readonly name: string;
  /** Folder of its go.mod. Where it has a buf.gen.yaml, code is generated from the contract first. */
  readonly folder: string;
}

/** Builds a program of this repository, its working tree left as it is; answers the program's path. */
export async function buildGo({ name, folder }: GoProgram): Promise<string> {
  requireGo();
  const files = readdirSync(folder).filter((file) => /\.go$|^go\.|^buf\.gen\.yaml$/.test(file));
  const contract = files.includes("buf.gen.yaml") ? protoFiles() : [];
  const built = await madeFolder({
    name: `go-${name}`,
    madeFrom: [...files.map((file) => join(folder, file)), ...contract].flatMap((path) => [
      basename(path),
      readFileSync(path),
    ]),
    limitMs: BUILD_LIMIT_MS,
    async make(target) {
      for (const file of files) copyFileSync(join(folder, file), join(target, file));
      if (contract.length > 0) {
        const buf = join(REPOSITORY_ROOT, "node_modules", ".bin", "buf");
        await runTool(buf, ["generate", "--output", target], {
          cwd: folder,
          limitMs: BUILD_LIMIT_MS,
        });
      }
      await runTool("go", ["build", "-o", join(target, name), "."], {
        cwd: target,
        limitMs: BUILD_LIMIT_MS,
      });
    },
  });
  return join(built, name);
}

function protoFiles(): string[] {
  const root = join(REPOSITORY_ROOT, "proto");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".proto"))
    .sort()
    .map((path) => join(root, path));
}

function requireGo(): void {
  const missing = missingForGo();
  if (missing !== undefined)
    throw new PenstockError("unavailable", `Go is needed and ${missing}. See https://go.dev/dl/.`);
}

let known: string | null | undefined;

/** Such as `1.26.8`; null when there is none. Asked once: it takes a process. */
function goVersion(): string | null {
  if (known === undefined) {
    try {
      const answer = execFileSync("go", ["env", "GOVERSION"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      known = answer.trim().replace(/^go/, "");
    } catch {
      known = null; // not installed
    }
  }
  return known;
}
