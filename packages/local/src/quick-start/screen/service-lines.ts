/** Reads the JSON log lines of the services: which one says that a service is ready, and what deserves to be shown. */

interface LogLine {
  level?: string;
  msg?: string;
  error?: { message?: string };
}

/** True for the line by which a service says that its listeners are up. */
export function isReadyLine(line: string): boolean {
  return parse(line).msg === "ready";
}

/** The text of a warning or an error, or undefined for every other line. */
export function problemLine(line: string): string | undefined {
  const { level, msg = "", error } = parse(line);
  if (level !== "warn" && level !== "error") return undefined;
  return error?.message === undefined ? msg : `${msg}: ${error.message}`;
}

function parse(line: string): LogLine {
  if (!line.startsWith("{")) return {};
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {}; // a stack trace or a half line of a killed process
  }
}
