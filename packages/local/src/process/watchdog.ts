/**
 * Ends our child processes when this process ends, however it ends (a `kill -9` included).
 *
 * One small shell per process reads a pipe whose other end only we hold. It learns the ids of the
 * children; when the pipe closes before a child was taken off the list, the child gets its polite
 * signal, five seconds, and then SIGKILL. The shell runs in a session of its own, so that a Ctrl-C in the
 * terminal doesn't reach it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

const SCRIPT = `
trap '' INT TERM HUP
alive=""
while read -r verb pid signal; do
  if [ "$verb" = add ]; then alive="$alive $pid:$signal"
  else
    rest=""
    for entry in $alive; do [ "\${entry%%:*}" = "$pid" ] || rest="$rest $entry"; done
    alive="$rest"
  fi
done
[ -n "$alive" ] || exit 0
for entry in $alive; do
  kill -"\${entry##*:}" "\${entry%%:*}" 2>/dev/null
  kill -CONT "\${entry%%:*}" 2>/dev/null
done
for tick in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
  left=""
  for entry in $alive; do kill -0 "\${entry%%:*}" 2>/dev/null && left="$left $entry"; done
  alive="$left"
  [ -n "$alive" ] || exit 0
  sleep 0.2
done
for entry in $alive; do kill -KILL "\${entry%%:*}" 2>/dev/null; done
`;

/** The signal that a child gets when its parent has gone: Postgres ends at once on SIGINT only. */
export type FarewellSignal = "TERM" | "INT" | "KILL";

let shell: ChildProcess | undefined;

function pipe(): Socket | undefined {
  if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) {
    shell = spawn("/bin/sh", ["-c", SCRIPT], {
      detached: true,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.on("error", () => {
      // Without a shell the pid files of the next start remain as the second line of defence.
    });
    shell.unref();
    shell.stdin?.on("error", () => {
      // The shell was killed: the next child starts another one.
    });
    (shell.stdin as Socket | null)?.unref();
  }
  return (shell.stdin as Socket | null) ?? undefined;
}

/** Makes sure that `child` doesn't outlive this process. */
export function guardChild(child: ChildProcess, farewell: FarewellSignal): void {
  const { pid } = child;
  if (pid === undefined) return;
  pipe()?.write(`add ${pid} ${farewell}\n`);
  child.once("exit", () => pipe()?.write(`del ${pid}\n`));
}
