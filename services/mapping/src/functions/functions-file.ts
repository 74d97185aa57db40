import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type FunctionSettings, PenstockError, readFunction } from "@penstock/core";
import { mapping } from "@penstock/proto";
import { functionInput } from "../api/function-messages.ts";
import { fileError, readListFile } from "../files/list-file.ts";

const FUNCTIONS_FILE = { name: "functions file", member: "functions", entriesMax: 1_000 };

/**
 * Functions from a YAML file, for those who don't call FunctionService. The entries are the proto's `Function`, in its JSON form:
 *
 *     functions:
 *       - name: orders
 *         http: { url: "http://127.0.0.1:9000/", headers: { authorization: "Bearer …" } }
 *         timeout: 30s
 *         max_concurrency: 10
 *
 * @throws PenstockError `invalidArgument` that names the entry and what is wrong with it.
 */
export async function readFunctionsFile(path: string): Promise<FunctionSettings[]> {
  const entries = await readListFile(path, FUNCTIONS_FILE);
  const functions = entries.map((entry, index) => readEntry(path, entry, index));
  const names = new Set(functions.map(({ name }) => name));
  if (names.size !== functions.length) throw invalid(path, "a function is there twice");
  return functions;
}

function readEntry(path: string, entry: unknown, index: number): FunctionSettings {
  try {
    const message = fromJson(mapping.FunctionSchema, entry as JsonValue);
    return readFunction(functionInput(message));
  } catch (error) {
    // The parser's own messages may repeat a value, which may be a secret.
    const problem = error instanceof PenstockError ? error.message : "is not a function";
    throw invalid(path, `entry ${index + 1}: ${problem}`, error);
  }
}

function invalid(path: string, problem: string, cause?: unknown): PenstockError {
  return fileError(path, FUNCTIONS_FILE, problem, cause);
}
