import { ERROR_TABLE, type ErrorRow, type RetryClass } from "@penstock/core";

/** The line of `docs/operating/errors.md` after which the table stands, to the end. */
export const ERROR_DOCUMENT_MARK =
  "<!-- written by packages/runtime/scripts/write-documents.ts -->";

const RETRY: Readonly<Record<RetryClass, string>> = {
  never: "no",
  retry: "yes",
  operator: "after a change",
};

/** The table of `docs/operating/errors.md`. */
export function renderErrorTable(): string {
  const rows = Object.entries<ErrorRow>(ERROR_TABLE).map(renderRow);
  return ["| code | meaning | try again | gRPC | AWS |", "|---|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

function renderRow([code, { meaning, retry, rpc, aws }]: [string, ErrorRow]): string {
  const cells = [`\`${code}\``, meaning, RETRY[retry], rpc, `\`${aws}\``];
  return `| ${cells.join(" | ")} |`;
}
