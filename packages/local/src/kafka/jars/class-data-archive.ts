/**
 * A class-data archive: the classes that a broker loads in its start, as the JVM has them in memory. It halves the start-up time,
 * and is never needed.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNode } from "../broker/open-node.ts";
import type { KafkaRelease } from "../kafka-versions.ts";
import type { KafkaFiles } from "./kafka-jars.ts";

/** The archive fits one build of the JVM and one class path, so both are in its name. */
export function archivePath(home: string, java: string, classPath: string): string {
  const binary = realpathSync(java);
  const key = createHash("sha256")
    .update(`${binary} ${statSync(binary).mtimeMs} ${classPath}`)
    .digest("hex")
    .slice(0, 16);
  return join(home, `classes-${key}.jsa`);
}

/** Runs a broker once until it is ready and lets the JVM write down the classes that it loaded. */
export async function makeArchive(
  release: KafkaRelease,
  files: KafkaFiles,
  target: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-archive-"));
  const part = `${target}.part`;
  try {
    const broker = await openNode({
      release,
      files,
      dataDir: folder,
      heapMb: 256,
      jvmFlags: [`-XX:ArchiveClassesAtExit=${part}`],
      // Writing the archive is part of the stop.
      stopLimitMs: 60_000,
    });
    await broker.stop();
    renameSync(part, target);
  } catch {
    // A JVM that can't write one shall not be asked at every start.
    writeFileSync(`${target}.failed`, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
