/**
 * `npm start`, from where all is installed on: runs the quick start until Ctrl-C, SIGTERM, a closed terminal, or the end of the
 * process that started it. Exit code 0 after a clean stop, 1 when the start failed or a second Ctrl-C cut the stop short.
 */

import { QuickStart } from "./quick-start.ts";
import { parseQuickStartSettings } from "./quick-start-settings.ts";
import { Screen } from "./screen/screen.ts";

/** npm passes a Ctrl-C on to us although the terminal has sent it to us as well: what follows this soon is the same one. */
const SAME_SIGNAL_MS = 1_000;

const { stdout } = process;
const screen = new Screen(stdout, stdout.isTTY && !process.env.NO_COLOR);
let quickStart: QuickStart | undefined;
let stoppingSince: number | undefined;

async function stop(exitCode: number): Promise<void> {
  if (stoppingSince !== undefined) {
    if (performance.now() - stoppingSince < SAME_SIGNAL_MS) return;
    // The watchdog ends the children.
    process.exit(1);
  }
  stoppingSince = performance.now();
  if (exitCode === 0) screen.line("\nStopping: the pollers finish their calls first …");
  await quickStart?.stop();
  if (exitCode === 0) screen.line("Stopped. `npm start` goes on from here.");
  process.exit(exitCode);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void stop(0));
}
// The start script holds the other end, if there is one.
process.once("disconnect", () => void stop(0));
stdout.on("error", () => void stop(0));

try {
  const settings = parseQuickStartSettings(process.env, process.argv.slice(2));
  quickStart = new QuickStart(settings, process.env, screen);
  await quickStart.start();
} catch (error) {
  if (stoppingSince === undefined) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    await stop(1);
  }
}
