/**
 * The program files of a local Kafka: jars by Maven, a class-data archive (halves the start-up time) and, for a version that
 * keeps its own metadata, a template of the first metadata snapshot (so that no broker has to be formatted by the slow tool).
 *
 *     .cache/kafka-4.3.0/libs/*.jar · bootstrap.checkpoint · classes-<key>.jsa
 *
 * Made once for each version; safe when several processes ask at the same time.
 */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { withFolderLock } from "../../process/folder-lock.ts";
import { REPOSITORY_ROOT } from "../../repository-root.ts";
import { type KafkaRelease, type KafkaVersion, kafkaRelease } from "../kafka-versions.ts";
import { archivePath, makeArchive } from "./class-data-archive.ts";
import { fetchJars } from "./fetch-jars.ts";
import { findJava } from "./java.ts";
import { makeCheckpoint } from "./make-checkpoint.ts";

/** Two minutes for Maven on a slow line, and half a minute for the rest. */
const SETUP_LIMIT_MS = 150_000;

export interface KafkaFiles {
  /** `java -cp` value: sorted, because the class-data archive is bound to the order. */
  readonly classPath: string;
  /** Absent for a version that keeps its metadata in a ZooKeeper. */
  readonly checkpoint: string | undefined;
  /** Absent when it could not be made: Kafka then only starts more slowly. */
  readonly classDataArchive: string | undefined;
}

/** Answers at once when everything is there; otherwise makes it and says so through `log`. */
export async function ensureKafkaJars(
  log: (line: string) => void = () => {},
  version?: KafkaVersion,
): Promise<KafkaFiles> {
  const release = kafkaRelease(version);
  const home = join(REPOSITORY_ROOT, ".cache", `kafka-${release.release}`);
  const java = findJava();
  return (
    presentFiles(release, home, java) ??
    withFolderLock(`${home}.lock`, SETUP_LIMIT_MS, () => setUp(release, home, java, log))
  );
}

async function setUp(
  release: KafkaRelease,
  home: string,
  java: string,
  log: (line: string) => void,
): Promise<KafkaFiles> {
  const libs = join(home, "libs");
  if (!existsSync(libs)) {
    log(`Fetching Kafka ${release.release} by Maven (up to 60 MB, once) …`);
    await fetchJars(release, libs, SETUP_LIMIT_MS);
  }
  const classPath = classPathOf(libs);
  const checkpoint = checkpointPath(release, home);
  if (checkpoint !== undefined && !existsSync(checkpoint))
    await makeCheckpoint(release, java, classPath, checkpoint);
  const archive = archivePath(home, java, classPath);
  if (!existsSync(archive) && !existsSync(`${archive}.failed`)) {
    log(`Preparing the class-data archive of Kafka ${release.release} (once, ten seconds) …`);
    await makeArchive(release, { classPath, checkpoint, classDataArchive: undefined }, archive);
  }
  return { classPath, checkpoint, classDataArchive: existsSync(archive) ? archive : undefined };
}

function presentFiles(release: KafkaRelease, home: string, java: string): KafkaFiles | undefined {
  const checkpoint = checkpointPath(release, home);
  if (!existsSync(join(home, "libs"))) return undefined;
  if (checkpoint !== undefined && !existsSync(checkpoint)) return undefined;
  const classPath = classPathOf(join(home, "libs"));
  const archive = archivePath(home, java, classPath);
  if (existsSync(archive)) return { classPath, checkpoint, classDataArchive: archive };
  if (existsSync(`${archive}.failed`))
    return { classPath, checkpoint, classDataArchive: undefined };
  return undefined;
}

function checkpointPath({ metadata }: KafkaRelease, home: string): string | undefined {
  return metadata === "kraft" ? join(home, "bootstrap.checkpoint") : undefined;
}

function classPathOf(libs: string): string {
  return readdirSync(libs)
    .filter((name) => name.endsWith(".jar"))
    .sort()
    .map((name) => join(libs, name))
    .join(delimiter);
}
