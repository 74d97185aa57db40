import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePython, REPOSITORY_ROOT, runTool } from "@penstock/local";

export interface PythonCode {
  readonly python: string;
  /** Where the generated modules are. */
  readonly folder: string;
}

/** Generates the Python code of contract files, as the examples' README does; the caller removes the folder. */
export async function generatePython(
  example: string,
  ...protos: readonly string[]
): Promise<PythonCode> {
  const { python } = await ensurePython(join(example, "requirements.txt"));
  const folder = mkdtempSync(join(tmpdir(), "penstock-python-"));
  const root = join(REPOSITORY_ROOT, "proto");
  await runTool(python, [
    ...["-m", "grpc_tools.protoc", "-I", root],
    ...[`--python_out=${folder}`, `--grpc_python_out=${folder}`],
    ...protos.map((path) => join(root, path)),
  ]);
  return { python, folder };
}
