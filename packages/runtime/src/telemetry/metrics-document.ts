import { ATTRIBUTES, SPAN_ATTRIBUTES } from "./attribute-names.ts";
import { type MetricDefinition, prometheusName } from "./metric-definition.ts";
import { METRIC_GROUPS } from "./metric-names.ts";

/** The line of `docs/operating/metrics.md` after which the tables stand, to the end. */
export const METRICS_DOCUMENT_MARK =
  "<!-- written by packages/runtime/scripts/write-documents.ts -->";

/** The tables of `docs/operating/metrics.md`. */
export function renderMetricTables(): string {
  const groups = Object.entries(METRIC_GROUPS).map(([title, metrics]) => {
    const rows = Object.values<MetricDefinition>(metrics).map(renderRow);
    return [
      `### ${title}\n`,
      "| metric | on /metrics | kind | unit | attributes | meaning |",
      "|---|---|---|---|---|---|",
      ...rows,
      "",
    ].join("\n");
  });
  return [...groups, renderAttributes(), renderSpanAttributes()].join("\n");
}

function renderRow(metric: MetricDefinition): string {
  const cells = [
    `\`${metric.name}\``,
    `\`${prometheusName(metric)}\``,
    metric.kind,
    metric.unit,
    metric.attributes.join(", "),
    metric.description,
  ];
  return `| ${cells.join(" | ")} |`;
}

function renderAttributes(): string {
  const rows = Object.entries(ATTRIBUTES).map(([name, meaning]) => `| ${name} | ${meaning} |`);
  return ["### Attributes\n", "| attribute | meaning |", "|---|---|", ...rows, ""].join("\n");
}

function renderSpanAttributes(): string {
  const rows = Object.values(SPAN_ATTRIBUTES).map(
    ({ name, meaning }) => `| \`${name}\` | ${meaning} |`,
  );
  const head = ["### Attributes of a batch's span\n", "| attribute | meaning |", "|---|---|"];
  return [...head, ...rows, ""].join("\n");
}
