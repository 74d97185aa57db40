/**
 * A member in a process of its own, to be stopped and continued. Says what happens as JSON lines, and tries to dispatch every 20 ms:
 * the record is when it last might.
 *
 *     node paused-member.ts <bootstrap> <topic> <group> [<driver> <protocol>]
 */
import type { GroupProtocol } from "@penstock/kafka";
import { CLASSIC_SESSION_MS, CLOCK, DRIVERS, type DriverKind, SILENT } from "./group-world.ts";
import { Probe } from "./probe.ts";

const [, , bootstrapServers = "", topic = "", groupId = "", kind = "native", protocol = "auto"] =
  process.argv;
/** A pause is at least the session less an interval of heartbeats; a busy machine never holds a process for this long. */
const PAUSE_MS_MIN = 2_500;
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

const driver = DRIVERS[kind as DriverKind]({
  clock: CLOCK,
  log: SILENT,
  clientId: "paused-member",
  groupProtocol: protocol as GroupProtocol,
  classicSessionTimeoutMs: CLASSIC_SESSION_MS,
});
const probe = new Probe(driver, { bootstrapServers, topic, groupId });
await probe.untilHolds(2);

const old = [...probe.held.values()];
let lastLookMs = performance.now();
let isOver = false;
const look = setInterval(() => {
  const nowMs = performance.now();
  const mayDispatch = probe.source.mayDispatch();
  const wasPaused = nowMs - lastLookMs > PAUSE_MS_MIN;
  lastLookMs = nowMs;
  if (!wasPaused || isOver) return;
  isOver = true;
  void afterPause(mayDispatch);
}, 20);
// Whoever hears it may stop the process at once.
say({ kind: "holds", memberId: probe.source.memberId });

async function afterPause(mayDispatch: boolean): Promise<void> {
  const results = await Promise.all(old.map((assignment) => probe.commit(assignment, 99n)));
  await probe.until("everything old is lost", () => probe.of("lost").length === old.length);
  const reasons = probe.of("lost").map(({ reason }) => reason);
  say({ kind: "continued", mayDispatch, results, reasons });
  await probe.until("it is a member again", () => probe.source.mayDispatch());
  say({ kind: "rejoined" });
}

process.on("SIGTERM", () => {
  clearInterval(look);
  void probe.source.close().then(() => driver.close());
});
