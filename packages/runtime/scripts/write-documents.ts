/**
 * Writes what is derived from the tables of this package: `.env.example` from the settings, the tables of
 * `docs/operating/metrics.md` from the metrics. Unit tests fail when one is out of step.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { renderEnvExample } from "../src/settings/env-example.ts";
import { METRICS_DOCUMENT_MARK, renderMetricTables } from "../src/telemetry/metrics-document.ts";

const root = new URL("../../../", import.meta.url);
writeFileSync(new URL(".env.example", root), renderEnvExample());

const metrics = new URL("docs/operating/metrics.md", root);
const [introduction] = readFileSync(metrics, "utf8").split(METRICS_DOCUMENT_MARK);
writeFileSync(metrics, `${introduction}${METRICS_DOCUMENT_MARK}\n\n${renderMetricTables()}`);
