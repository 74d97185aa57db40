import { create } from "@bufbuild/protobuf";
import type { PenstockError } from "@penstock/core";
import { mapping } from "@penstock/proto";

export function problem(field: string, code: string, message: string): mapping.ValidationProblem {
  return create(mapping.ValidationProblemSchema, { field, code, message });
}

/** What an error says, one entry for each field that it names. */
export function problemsOf(error: PenstockError): mapping.ValidationProblem[] {
  if (error.violations.length === 0) return [problem("", error.code, error.message)];
  return error.violations.map(({ field, description }) => problem(field, error.code, description));
}
