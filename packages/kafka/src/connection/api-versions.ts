/**
 * ApiVersions (18): what a broker offers.
 *
 * Asked in version 3, which names this client. A broker that doesn't know it (before Kafka 2.4) says so in the form of version 0, and is asked
 * again in that version on the same connection.
 */
import { PenstockError } from "@penstock/core";
import { apiVersionsV0, apiVersionsV3, type Connection } from "@platformatic/kafka";
import { request } from "../cluster/request.ts";
import { type ApiRange, ApiRanges, type ApiVersionsMax } from "./api-ranges.ts";

const API_KEY = 18;
const UNSUPPORTED_VERSION = 35;
/** Kafka has about a hundred; each takes memory as long as the connection lives. */
const APIS_MAX = 1_000;
const CLIENT_NAME = "penstock";
const CLIENT_VERSION = "0";

export async function readApiRanges(
  connection: Connection,
  versionsMax: ApiVersionsMax = {},
): Promise<ApiRanges> {
  const isNewest = (versionsMax[API_KEY] ?? 3) >= 3;
  const ask = (api: typeof apiVersionsV0.api | typeof apiVersionsV3.api) =>
    request(connection, api, CLIENT_NAME, CLIENT_VERSION);
  let response = await ask(isNewest ? apiVersionsV3.api : apiVersionsV0.api);
  if (response.errorCode === UNSUPPORTED_VERSION) response = await ask(apiVersionsV0.api);
  if (response.errorCode !== 0 || response.apiKeys.length > APIS_MAX)
    throw new PenstockError(
      "kafkaUnsupported",
      `${connection.host}:${connection.port} does not say which requests it takes (Kafka error ${response.errorCode}); Penstock needs Kafka 0.11 or later.`,
    );
  const ranges = new Map<number, ApiRange>();
  for (const { apiKey, minVersion, maxVersion } of response.apiKeys)
    ranges.set(apiKey, { min: minVersion, max: maxVersion });
  return new ApiRanges(ranges, versionsMax);
}
