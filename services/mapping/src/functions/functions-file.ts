import { readFile, stat } from "node:fs/promises";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type FunctionSettings, PenstockError, readFunction } from "@penstock/core";
import { mapping } from "@penstock/proto";
import { parseDocument } from "yaml";
import { functionInput } from "../api/function-messages.ts";

/** A file is read whole. */
const FILE_BYTES_MAX = 1024 * 1024;
const FUNCTIONS_MAX = 1_000;

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
  const entries = parse(path, await readBounded(path));
  const functions = entries.map((entry, index) => readEntry(path, entry, index));
  const names = new Set(functions.map(({ name }) => name));
  if (names.size !== functions.length) throw invalid(path, "a function is there twice");
  return functions;
}

async function readBounded(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) throw invalid(path, `must have at most ${FILE_BYTES_MAX} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof PenstockError) throw error;
    throw invalid(path, "can't be read", error);
  }
}

function parse(path: string, text: string): readonly unknown[] {
  const document = parseDocument(text, { prettyErrors: true });
  const problem = document.errors[0];
  if (problem) throw invalid(path, `line ${problem.linePos?.[0].line ?? "?"}: ${problem.code}`);
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  const functions = (content as { functions?: unknown } | null)?.functions;
  if (!Array.isArray(functions) || functions.length > FUNCTIONS_MAX) {
    throw invalid(path, `must have a list "functions" of at most ${FUNCTIONS_MAX} entries`);
  }
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
  return new PenstockError("invalidArgument", `The functions file ${path}: ${problem}.`, { cause });
}
