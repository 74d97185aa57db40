import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { Environment } from "../settings/parse-settings.ts";
import { readLeniently } from "../settings/read-leniently.ts";
import { SETTINGS } from "../settings/table/settings-table.ts";

/** The sampler that OTEL_TRACES_SAMPLER names; by default that of the parent, and everything that has none. */
export function createSampler(env: Environment): Sampler {
  const name = readLeniently(SETTINGS.tracesSampler, env);
  const root = createRoot(name.replace("parentbased_", ""), env);
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;
}

function createRoot(name: string, env: Environment): Sampler {
  switch (name) {
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(readRatio(env));
    default:
      return new AlwaysOnSampler();
  }
}

function readRatio(env: Environment): number {
  const ratio = Number(readLeniently(SETTINGS.tracesSamplerArgument, env) ?? "1");
  return ratio >= 0 && ratio <= 1 ? ratio : 1;
}
