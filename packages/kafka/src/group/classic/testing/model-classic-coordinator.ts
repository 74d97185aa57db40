/**
 * The coordinator of a classic group, as the brokers keep it: PreparingRebalance until every member has joined, CompletingRebalance until the
 * leader has sent the assignment, then Stable. Answers to joins and syncs are kept until they are fetched. Test code.
 */
import type {
  HeartbeatOutcome,
  JoinOutcome,
  JoinRequest,
  MemberName,
  SyncOutcome,
  SyncRequest,
} from "../exchange.ts";

interface Member {
  readonly memberId: string;
  request: JoinRequest;
  /** Waits for the others. */
  reply: ((outcome: JoinOutcome) => void) | null;
  syncReply: ((outcome: SyncOutcome) => void) | null;
  assignment: Buffer;
}

export class ModelClassicCoordinator {
  state: "empty" | "preparing" | "completing" | "stable" = "empty";
  generation = 0;
  leaderId: string | null = null;
  protocol = "";
  readonly #members = new Map<string, Member>();
  readonly #pending = new Set<string>();
  #ids = 0;

  knows(memberId: string): boolean {
    return this.#members.has(memberId);
  }

  get size(): number {
    return this.#members.size;
  }

  join(request: JoinRequest, reply: (outcome: JoinOutcome) => void): void {
    const { memberId } = request;
    if (memberId === "") {
      const given = `m${String(++this.#ids).padStart(4, "0")}`;
      this.#pending.add(given);
      reply({ memberId: given });
      return;
    }
    let member = this.#members.get(memberId);
    if (!member && !this.#pending.delete(memberId)) {
      reply({ failure: "memberUnknown" });
      return;
    }
    const names = new Set(request.protocols.map(({ name }) => name));
    const others = [...this.#members.values()].filter((other) => other.memberId !== memberId);
    if (!this.#common(others).some((name) => names.has(name)) && others.length > 0) {
      reply({ failure: "refused" });
      return;
    }
    const isSame = member && sameProtocols(member.request, request);
    if (!member) {
      member = { memberId, request, reply: null, syncReply: null, assignment: Buffer.alloc(0) };
      this.#members.set(memberId, member);
      this.leaderId ??= memberId;
    }
    member.request = request;
    const isAnswered =
      isSame &&
      (this.state === "completing" || (this.state === "stable" && memberId !== this.leaderId));
    if (isAnswered) {
      reply(this.#answerFor(member));
      return;
    }
    member.reply?.({ failure: "transient" });
    member.reply = reply;
    this.#prepare();
    this.#completeJoin(false);
  }

  sync(request: SyncRequest, reply: (outcome: SyncOutcome) => void): void {
    const member = this.#members.get(request.memberId);
    const answer = this.#syncAnswer(member, request.generation);
    if (answer) reply(answer);
    if (answer || !member) return;
    member.syncReply = reply;
    if (request.memberId !== this.leaderId) return;
    for (const other of this.#members.values())
      other.assignment =
        request.assignments.find(({ memberId }) => memberId === other.memberId)?.assignment ??
        Buffer.alloc(0);
    this.state = "stable";
    for (const other of this.#members.values()) {
      other.syncReply?.({ assignment: other.assignment });
      other.syncReply = null;
    }
  }

  #syncAnswer(member: Member | undefined, generation: number): SyncOutcome | null {
    if (!member) return { failure: "memberUnknown" };
    if (generation !== this.generation) return { failure: "otherGeneration" };
    if (this.state === "preparing") return { failure: "rebalancing" };
    return this.state === "stable" ? { assignment: member.assignment } : null;
  }

  heartbeat({ memberId, generation }: MemberName): HeartbeatOutcome {
    if (!this.#members.has(memberId)) return "memberUnknown";
    if (generation !== this.generation) return "otherGeneration";
    return this.state === "preparing" ? "rebalancing" : null;
  }

  /** Whether a commit is taken. */
  commit(memberId: string, generation: number): boolean {
    return (
      this.#members.has(memberId) && generation === this.generation && this.state !== "completing"
    );
  }

  leave(memberId: string): void {
    this.#pending.delete(memberId);
    const member = this.#members.get(memberId);
    if (!member) return;
    this.#members.delete(memberId);
    member.reply?.({ failure: "memberUnknown" });
    member.syncReply?.({ failure: "memberUnknown" });
    if (this.leaderId === memberId) this.leaderId = null;
    if (this.#members.size === 0) {
      this.state = "empty";
      this.generation++;
      return;
    }
    this.#prepare();
    this.#completeJoin(false);
  }

  /** Whoever hasn't joined in time, or hasn't synced, is out. */
  timeOut(): void {
    this.#pending.clear();
    if (this.state === "preparing") this.#completeJoin(true);
    else if (this.state === "completing")
      for (const member of [...this.#members.values()])
        if (member.syncReply === null) this.leave(member.memberId);
  }

  #prepare(): void {
    if (this.state === "preparing") return;
    this.state = "preparing";
    for (const member of this.#members.values()) {
      member.syncReply?.({ failure: "rebalancing" });
      member.syncReply = null;
    }
  }

  #completeJoin(isTimeUp: boolean): void {
    if (this.state !== "preparing") return;
    const isComplete = [...this.#members.values()].every(({ reply }) => reply !== null);
    if (!isTimeUp && (!isComplete || this.#pending.size > 0)) return;
    for (const { memberId, reply } of [...this.#members.values()])
      if (reply === null) {
        this.#members.delete(memberId);
        if (this.leaderId === memberId) this.leaderId = null;
      }
    this.generation++;
    const members = [...this.#members.values()];
    if (members.length === 0) {
      this.state = "empty";
      return;
    }
    this.leaderId ??= members[0]?.memberId ?? null;
    this.protocol = this.#vote(members);
    this.state = "completing";
    for (const member of members) member.assignment = Buffer.alloc(0);
    for (const member of members) {
      const { reply } = member;
      member.reply = null;
      reply?.(this.#answerFor(member));
    }
  }

  #answerFor({ memberId }: Member): JoinOutcome {
    const members = [...this.#members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: null,
      metadata:
        member.request.protocols.find(({ name }) => name === this.protocol)?.metadata ??
        Buffer.alloc(0),
    }));
    return {
      answer: {
        memberId,
        generation: this.generation,
        protocol: this.protocol,
        leaderId: this.leaderId ?? "",
        skipsAssignment: false,
        members: memberId === this.leaderId ? members : [],
      },
    };
  }

  #common(members: readonly Member[]): string[] {
    const [first, ...rest] = members;
    return (first?.request.protocols ?? [])
      .map(({ name }) => name)
      .filter((name) =>
        rest.every(({ request }) => request.protocols.some((offered) => offered.name === name)),
      );
  }

  #vote(members: readonly Member[]): string {
    const common = new Set(this.#common(members));
    const votes = new Map<string, number>();
    for (const { request } of members) {
      const first = request.protocols.find(({ name }) => common.has(name))?.name ?? "";
      votes.set(first, (votes.get(first) ?? 0) + 1);
    }
    return [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0];
  }
}

function sameProtocols(a: JoinRequest, b: JoinRequest): boolean {
  return (
    a.protocols.length === b.protocols.length &&
    a.protocols.every(
      ({ name, metadata }, index) =>
        b.protocols[index]?.name === name && b.protocols[index].metadata.equals(metadata),
    )
  );
}
