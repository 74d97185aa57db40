/**
 * Ends our child processes when this process ends, however it ends (a `kill -9` included).
 *
 * One small shell per process reads a pipe whose other end only we hold. It learns the ids of the
 * children. When the pipe closes, the children that are left get their polite signals, the youngest
 * first and a second for each, and SIGKILL at the end. The shell runs in a session of its own, so that a Ctrl-C in the
 * terminal doesn't reach it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

const SCRIPT = `
trap '' INT TERM HUP
alive=""
while read -r verb pid signal; do
  if [ "$verb" = add ]; then alive="$pid:$signal $alive"
  else
    rest=""
    for entry in $alive; do [ "\${entry%%:*}" = "$pid" ] || rest="$rest $entry"; done
    alive="$rest"
  fi
done
ended() {
  kill -0 "$1" 2>/dev/null || return 0
  case "$(cat "/proc/$1/stat" 2>/dev/null)" in *") Z "*) return 0 ;; esac
  return 1
}
wait_for() {
  for tick in 1 2 3 4 5 6 7 8 9 10; do
    ended "$1" && return
    sleep 0.1
  done
}
for entry in $alive; do
  pid="\${entry%%:*}"
  kill -"\${entry##*:}" "$pid" 2>/dev/null
  kill -CONT "$pid" 2>/dev/null
  wait_for "$pid"
done
for entry in $alive; do
  pid="\${entry%%:*}"
  ended "$pid" || kill -KILL "$pid" 2>/dev/null
done
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
