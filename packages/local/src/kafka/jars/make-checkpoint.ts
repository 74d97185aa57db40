import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { brokerProperties } from "../broker/broker-properties.ts";
import { newClusterId } from "../broker/format-data-folder.ts";
import type { KafkaRelease } from "../kafka-versions.ts";

/** Has Kafka's storage tool format a folder, and keeps the first metadata snapshot of it: it names no node and no cluster. */
export async function makeCheckpoint(
  release: KafkaRelease,
  java: string,
  classPath: string,
  target: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-format-"));
  try {
    const properties = join(folder, "format.properties");
    const data = join(folder, "data");
    writeFileSync(
      properties,
      brokerProperties({ release, dataDir: data, port: 1, controllerPort: 2 }),
    );
    await promisify(execFile)(java, [
      ...["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classPath],
      ...["kafka.tools.StorageTool", "format", "-t", newClusterId(randomUUID()), "-c", properties],
      ...release.features.flatMap((feature) => ["--feature", feature]),
    ]);
    copyFileSync(join(data, "bootstrap.checkpoint"), `${target}.part`);
    renameSync(`${target}.part`, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
