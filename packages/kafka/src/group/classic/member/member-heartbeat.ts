/** The heartbeat of a member of a classic group: when it is due, whether one is on its way, and of what it is the answer. */
import { type HeartbeatFailure, HeartbeatPace } from "../../heartbeat-pace.ts";
import { heartbeatIntervalMs } from "../session-timeouts.ts";

export class MemberHeartbeat {
  readonly #pace = new HeartbeatPace();
  isOnItsWay = false;
  #generation = -1;
  #incarnation = 1;
  /** Sending time of the last one that was answered without a rebalance: one that we don't know of yet can't be older. */
  calmAtMs = Number.NEGATIVE_INFINITY;
  #isHurried = false;

  get sentAtMs(): number {
    return this.#pace.sentAtMs;
  }

  /** The next one goes out as soon as none is on its way. */
  hurry(): void {
    this.#isHurried = true;
  }

  joined(nowMs: number): void {
    this.#pace.joined(nowMs);
  }

  expectChange(nowMs: number, durationMs: number): void {
    this.#pace.expectChange(nowMs, durationMs);
  }

  dueMs(nowMs: number, isUrgent: boolean, isMoving: boolean): number {
    return this.#pace.dueMs(nowMs, this.#isHurried || isUrgent, isMoving);
  }

  begin(incarnation: number): void {
    this.isOnItsWay = true;
    this.#incarnation = incarnation;
  }

  sent(nowMs: number, incarnation: number, generation: number): void {
    this.#pace.sent(nowMs);
    this.#isHurried = false;
    this.#incarnation = incarnation;
    this.#generation = generation;
  }

  /** False: the answer is of another member, which is no more. */
  answered(incarnation: number): boolean {
    this.isOnItsWay = false;
    return this.#incarnation === incarnation;
  }

  isOf(generation: number): boolean {
    return this.#generation === generation;
  }

  proved(sessionMs: number): void {
    this.#pace.answered(heartbeatIntervalMs(sessionMs));
  }

  failed(nowMs: number, failure: HeartbeatFailure): void {
    this.#pace.failed(nowMs, failure);
  }
}
