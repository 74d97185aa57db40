/**
 * The standard OTEL_* variables that Penstock obeys. Nothing here fails: telemetry with a wrong setting is telemetry with a default.
 */
import type { Environment } from "../settings/parse-settings.ts";
import { readLeniently } from "../settings/read-leniently.ts";
import { SETTINGS } from "../settings/table/settings-table.ts";

export interface ExportSettings {
  /** Null = no export of that signal. */
  readonly metricsUrl: string | null;
  readonly tracesUrl: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly metricIntervalMs: number;
  readonly resourceAttributes: Readonly<Record<string, string>>;
}

export function readExportSettings(env: Environment): ExportSettings {
  const isDisabled = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true";
  return {
    metricsUrl: isDisabled ? null : signalUrl(env, "METRICS", "v1/metrics"),
    tracesUrl: isDisabled ? null : signalUrl(env, "TRACES", "v1/traces"),
    headers: readPairs(env.OTEL_EXPORTER_OTLP_HEADERS),
    metricIntervalMs: readLeniently(SETTINGS.metricExportIntervalMs, env),
    resourceAttributes: readPairs(env.OTEL_RESOURCE_ATTRIBUTES),
  };
}

function signalUrl(env: Environment, signal: "METRICS" | "TRACES", path: string): string | null {
  if (env[`OTEL_${signal}_EXPORTER`]?.trim() === "none") return null;
  const own = httpUrl(env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  if (own !== null) return own;
  const shared = httpUrl(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  return shared === null ? null : `${shared.replace(/\/+$/, "")}/${path}`;
}

function httpUrl(text: string | undefined): string | null {
  const given = text?.trim() ?? "";
  return /^https?:\/\//i.test(given) && URL.canParse(given) ? given : null;
}

/** `key=value,key=value`, values percent-encoded; what doesn't read is left out. */
function readPairs(text: string | undefined): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const item of (text ?? "").split(",")) {
    const at = item.indexOf("=");
    if (at <= 0) continue;
    try {
      pairs.push([item.slice(0, at).trim(), decodeURIComponent(item.slice(at + 1).trim())]);
    } catch {
      // Not percent-encoded: the specification wants such a pair ignored.
    }
  }
  return Object.fromEntries(pairs);
}
