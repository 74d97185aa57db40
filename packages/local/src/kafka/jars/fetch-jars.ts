import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PenstockError } from "@penstock/core";
import { withFolderLock } from "../../process/folder-lock.ts";
import { REPOSITORY_ROOT } from "../../repository-root.ts";
import type { KafkaRelease } from "../kafka-versions.ts";

const POM = join(import.meta.dirname, "..", "..", "..", "kafka", "pom.xml");

const LOCK = join(REPOSITORY_ROOT, ".cache", "maven.lock");
/** For the other versions. */
const WAIT_LIMIT_MS = 600_000;

/** They would be a second way to log, and the one that is taken is a matter of chance. */
const LEFT_OUT = ["slf4j-log4j12", "slf4j-reload4j"];

/** Has Maven copy the jars of a release into `libs`, which is there only when all of them are. */
export async function fetchJars(
  { release, scala, profiles }: KafkaRelease,
  libs: string,
  limitMs: number,
): Promise<void> {
  const part = `${libs}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const settings = {
    outputDirectory: part,
    excludeArtifactIds: LEFT_OUT.join(","),
    "kafka.version": release,
    "scala.version": scala,
  };
  try {
    const args = [
      ...["-q", "-B", "-f", POM, "dependency:copy-dependencies"],
      ...profiles.map((profile) => `-P${profile}`),
      ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
    ];
    // Two of them at once would write to the same local repository, which not every Maven can.
    await withFolderLock(LOCK, WAIT_LIMIT_MS, () =>
      promisify(execFile)("mvn", args, { timeout: limitMs }),
    );
  } catch (cause) {
    throw new PenstockError(
      "unavailable",
      `Maven could not fetch the jars of Kafka ${release}. Check that mvn is installed and reaches Maven Central.\n${(cause as { stdout?: string }).stdout ?? ""}`,
      { cause },
    );
  }
  renameSync(part, libs);
}
