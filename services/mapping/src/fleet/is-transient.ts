import { PenstockError } from "@penstock/core";

/** Whether it is worth trying again; what the database refuses for itself is not. */
export function isTransient(error: unknown): boolean {
  return error instanceof PenstockError && error.row.retry === "retry";
}
