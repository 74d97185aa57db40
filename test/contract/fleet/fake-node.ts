import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { type ClientSecurity, createRpcTransport } from "@penstock/runtime";

/**
 * A poller or an invoker that only joins: it obeys assignments at once, unless told to hold them, and remembers what it was told.
 */
export class FakeNode {
  readonly nodeId: string;
  readonly kind: fleet.NodeKind;
  readonly received: fleet.JoinResponse["message"][] = [];
  /** Newest of each kind. */
  assignments: fleet.Assignments | null = null;
  shares: fleet.ConcurrencyShares | null = null;
  invokers: fleet.Invokers | null = null;
  functions = new Map<string, string>();
  progressStored = 0n;
  plannedGroups: string[] = [];
  /** False: assignments are neither obeyed nor confirmed. */
  obeys = true;
  /** False: event pollers never become members of their group. */
  joins = true;
  isDraining = false;
  error: unknown = null;
  isOver = false;
  #held: fleet.HeldEventPoller[] = [];
  #applied = 0n;
  readonly #transport: ReturnType<typeof createRpcTransport>;
  readonly #requests: fleet.JoinRequest[] = [];
  readonly #abort = new AbortController();
  #isClosing = false;
  #wake: (() => void) | null = null;
  #reading: Promise<void>;

  constructor(
    address: string,
    options: {
      kind?: fleet.NodeKind;
      nodeId?: string;
      obeys?: boolean;
      joins?: boolean;
      security?: ClientSecurity;
    } = {},
  ) {
    this.nodeId = options.nodeId ?? crypto.randomUUID();
    this.kind = options.kind ?? fleet.NodeKind.POLLER;
    this.obeys = options.obeys ?? true;
    this.joins = options.joins ?? true;
    this.#transport = createRpcTransport({ address, security: options.security });
    const hello = create(fleet.HelloSchema, {
      nodeId: this.nodeId,
      kind: this.kind,
      address: "127.0.0.1:7401",
      version: "test",
    });
    this.send({ case: "hello", value: hello });
    this.#reading = this.#read();
  }

  send(message: fleet.JoinRequest["message"]): void {
    this.#requests.push(create(fleet.JoinRequestSchema, { message }));
    this.#wake?.();
  }

  /** Names of what it is to run: `<mapping id>/<index>`. */
  get runs(): string[] {
    return (this.assignments?.eventPollers ?? [])
      .map((one) => `${one.mappingId}/${one.index}`)
      .sort();
  }

  /** Starts to obey, from what it was told last. */
  obey(): void {
    this.obeys = true;
    this.#apply();
  }

  drain(): void {
    this.isDraining = true;
    this.#held = [];
    this.sendHoldings();
  }

  progress(value: Parameters<typeof create<typeof fleet.ProgressSchema>>[1]): void {
    this.send({ case: "progress", value: create(fleet.ProgressSchema, value) });
  }

  /** Says that it runs an event poller as this member. */
  hold(mappingId: string, index: number, memberId: string): void {
    const rest = this.#held.filter((one) => one.mappingId !== mappingId || one.index !== index);
    const one = { mappingId, index, memberId, revision: 1n, hasJoined: true };
    this.#held = [...rest, create(fleet.HeldEventPollerSchema, one)];
    this.sendHoldings();
  }

  sendHoldings(): void {
    const value = create(fleet.HoldingsSchema, {
      appliedGeneration: this.#applied,
      held: this.#held,
      isDraining: this.isDraining,
    });
    this.send({ case: "holdings", value });
  }

  /** Ends its side in order and waits for the other. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    this.#wake?.();
    await this.#reading;
    this.#transport.close();
  }

  /** Is gone without a word. */
  async vanish(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
    this.#transport.close();
  }

  async #read(): Promise<void> {
    const client = createClient(fleet.FleetService, this.#transport);
    try {
      for await (const { message } of client.join(this.#outgoing(), {
        signal: this.#abort.signal,
      })) {
        this.received.push(message);
        this.#take(message);
      }
    } catch (error) {
      this.error = error;
    }
    this.isOver = true;
    this.#isClosing = true;
    this.#wake?.();
  }

  async *#outgoing(): AsyncGenerator<fleet.JoinRequest> {
    for (;;) {
      const next = this.#requests.shift();
      if (next !== undefined) yield next;
      else if (this.#isClosing) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #take(message: fleet.JoinResponse["message"]): void {
    switch (message.case) {
      case "assignments":
        this.assignments = message.value;
        if (this.obeys) this.#apply();
        break;
      case "functions":
        if (message.value.isSnapshot) this.functions.clear();
        for (const one of message.value.changed) {
          this.functions.set(one.name, one.target.case === "http" ? one.target.value.url : "");
        }
        for (const name of message.value.removed) this.functions.delete(name);
        break;
      case "invokers":
        this.invokers = message.value;
        break;
      case "concurrencyShares":
        this.shares = message.value;
        break;
      case "plannedChange":
        this.plannedGroups.push(...message.value.consumerGroupIds);
        break;
      case "progressStored":
        this.progressStored = message.value.sequence;
        break;
      default:
        break;
    }
  }

  #apply(): void {
    if (this.assignments === null) return;
    this.#applied = this.assignments.generation;
    this.#held = this.assignments.eventPollers.map((one) =>
      create(fleet.HeldEventPollerSchema, {
        mappingId: one.mappingId,
        index: one.index,
        revision: one.revision,
        memberId: `member-${this.nodeId}-${one.mappingId}-${one.index}`,
        hasJoined: this.joins,
      }),
    );
    this.sendHoldings();
  }
}
