/**
 * Where a test run keeps what its processes left behind, so that it can be searched at the end. `npm test` makes the folder and names it in
 * TEST_RUN_FOLDER; without it nothing is kept.
 *
 *     planted.txt   what was planted, one name a line
 *     logs/         standard output and error of every service process
 *     worlds/       data folders and histories of the worlds
 *     metrics/      what /metrics said before a service was stopped
 *     answers/      what the API answered before a service was stopped
 *     postgres/     every row of every test database
 *     reports/      what vitest says of its tests, thrown errors included
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type RunFolderPart = "logs" | "worlds" | "metrics" | "answers" | "postgres" | "reports";

export function runFolder(): string | null {
  return process.env.TEST_RUN_FOLDER ?? null;
}

/** Path for a new file or folder of the run folder; null when nothing is kept. */
export function keptFile(part: RunFolderPart, name: string): string | null {
  const folder = runFolder();
  if (folder === null) return null;
  const place = join(folder, part);
  mkdirSync(place, { recursive: true });
  return join(place, `${name}-${randomUUID().slice(0, 8)}`);
}

export function keepText(part: RunFolderPart, name: string, text: string): void {
  const file = keptFile(part, name);
  if (file !== null) writeFileSync(file, text);
}
