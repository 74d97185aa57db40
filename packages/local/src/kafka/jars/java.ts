import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PenstockError } from "@penstock/core";

/** Small, quick to start, quiet: a broker for one machine. */
export const JVM_FLAGS: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  "-Djava.awt.headless=true",
];

/** Path of the `java` program: of JAVA_HOME when set, else the first on PATH. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string {
  const folders = [
    ...(env.JAVA_HOME ? [join(env.JAVA_HOME, "bin")] : []),
    ...(env.PATH ?? "").split(delimiter),
  ];
  for (const folder of folders) {
    const candidate = join(folder, "java");
    if (folder !== "" && existsSync(candidate)) return candidate;
  }
  throw new PenstockError(
    "unavailable",
    "No Java found. Install a JDK 17 or later, or set JAVA_HOME.",
  );
}
