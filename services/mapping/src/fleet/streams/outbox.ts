import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { fleet } from "@penstock/proto";

type Message = fleet.JoinResponse["message"];

/**
 * What one stream has still to be told: one slot for each kind of message, in which newer news replaces older. However slowly the
 * other side reads, nothing queues up: what it gets next is the present state.
 */
export class Outbox {
  #welcome: fleet.Welcome | null = null;
  #functions: (() => fleet.Functions | null) | null = null;
  #invokers: fleet.Invokers | null = null;
  #shares: (() => fleet.ConcurrencyShares) | null = null;
  #assignments: fleet.Assignments | null = null;
  readonly #groups = new Set<string>();
  #groupsMs = 0;
  #stored = 0n;
  #storedTold = 0n;
  #isEnded = false;
  #wake: (() => void) | null = null;

  welcome(replicaId: string): void {
    this.#welcome = create(fleet.WelcomeSchema, { replicaId });
    this.#signal();
  }

  /** `build` is called when the message is sent: the difference to what was sent before, null for none. */
  functions(build: () => fleet.Functions | null): void {
    this.#functions = build;
    this.#signal();
  }

  invokers(invokers: fleet.Invokers): void {
    this.#invokers = invokers;
    this.#signal();
  }

  /** `build` is called when the message is sent, because the rest of the lease shrinks while it waits. */
  shares(build: () => fleet.ConcurrencyShares): void {
    this.#shares = build;
    this.#signal();
  }

  assignments(assignments: fleet.Assignments): void {
    this.#assignments = assignments;
    this.#signal();
  }

  plannedChange(groups: readonly string[], durationMs: number): void {
    for (const group of groups) this.#groups.add(group);
    this.#groupsMs = Math.max(this.#groupsMs, durationMs);
    this.#signal();
  }

  stored(sequence: bigint): void {
    if (sequence <= this.#stored) return;
    this.#stored = sequence;
    this.#signal();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  end(): void {
    this.#isEnded = true;
    this.#signal();
  }

  /** All messages until `end`; the next one is made when the reader asks for it. */
  async *messages(): AsyncGenerator<fleet.JoinResponse> {
    while (!this.#isEnded) {
      const message = this.#next();
      if (message !== null) yield create(fleet.JoinResponseSchema, { message });
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** What is needed to understand the others goes first. */
  #next(): Message | null {
    if (this.#welcome !== null) {
      const value = this.#welcome;
      this.#welcome = null;
      return { case: "welcome", value };
    }
    if (this.#functions !== null) {
      const value = this.#functions();
      this.#functions = null;
      if (value !== null) return { case: "functions", value };
    }
    if (this.#invokers !== null) {
      const value = this.#invokers;
      this.#invokers = null;
      return { case: "invokers", value };
    }
    if (this.#shares !== null) {
      const value = this.#shares();
      this.#shares = null;
      return { case: "concurrencyShares", value };
    }
    if (this.#groups.size > 0) return this.#takePlannedChange();
    if (this.#assignments !== null) {
      const value = this.#assignments;
      this.#assignments = null;
      return { case: "assignments", value };
    }
    if (this.#stored > this.#storedTold) {
      this.#storedTold = this.#stored;
      const value = create(fleet.ProgressStoredSchema, { sequence: this.#stored });
      return { case: "progressStored", value };
    }
    return null;
  }

  #takePlannedChange(): Message {
    const value = create(fleet.PlannedChangeSchema, {
      consumerGroupIds: [...this.#groups],
      duration: durationFromMs(Math.floor(this.#groupsMs)),
    });
    this.#groups.clear();
    this.#groupsMs = 0;
    return { case: "plannedChange", value };
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
