import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Kafka writes its UUIDs as 22 characters of URL-safe base64, and like Kafka's own none begins with "-": its tools would take it for a flag. */
export function newClusterId(uuid: string): string {
  const id = Buffer.from(uuid.replaceAll("-", ""), "hex").toString("base64url");
  return id.startsWith("-") ? `A${id.slice(1)}` : id;
}

export interface FormatOptions {
  readonly dataDir: string;
  readonly checkpoint: string;
  readonly clusterId: string;
  readonly nodeId: number;
}

/**
 * Makes `dataDir` what Kafka's storage tool would make it, in two milliseconds: a hand-written
 * meta.properties and a copy of the tool's first snapshot, which carries the finalised features
 * (without it there would be no KIP-848 groups). Leaves a formatted folder as it is.
 */
export function formatDataFolder({ dataDir, checkpoint, clusterId, nodeId }: FormatOptions): void {
  const meta = join(dataDir, "meta.properties");
  if (existsSync(meta)) return;
  mkdirSync(dataDir, { recursive: true });
  copyFileSync(checkpoint, join(dataDir, "bootstrap.checkpoint"));
  writeFileSync(meta, `version=1\nnode.id=${nodeId}\ncluster.id=${clusterId}\n`);
}
