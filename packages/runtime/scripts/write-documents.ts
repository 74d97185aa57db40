/**
 * Writes what is derived from tables: `.env.example` from the settings, the tables of `docs/operating/metrics.md` from the metrics, that
 * of `docs/operating/errors.md` from the error codes. Unit tests fail when one is out of step.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ERROR_DOCUMENT_MARK, renderErrorTable } from "../src/documents/error-document.ts";
import { renderEnvExample } from "../src/settings/env-example.ts";
import { METRICS_DOCUMENT_MARK, renderMetricTables } from "../src/telemetry/metrics-document.ts";

const root = new URL("../../../", import.meta.url);
writeFileSync(new URL(".env.example", root), renderEnvExample());
replaceAfter("docs/operating/metrics.md", METRICS_DOCUMENT_MARK, renderMetricTables());
replaceAfter("docs/operating/errors.md", ERROR_DOCUMENT_MARK, renderErrorTable());

/** What stands before the mark is written by hand. */
function replaceAfter(path: string, mark: string, text: string): void {
  const file = new URL(path, root);
  const [introduction] = readFileSync(file, "utf8").split(mark);
  writeFileSync(file, `${introduction}${mark}\n\n${text}`);
}
