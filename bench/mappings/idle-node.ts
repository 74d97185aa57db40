import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";

/** A poller node that has joined, says that it runs whatever it is told to, and does nothing. */
export class IdleNode {
  /** Event pollers that it was told to run. */
  assigned = 0;
  readonly #nodeId = crypto.randomUUID();
  readonly #end = new AbortController();
  readonly #outbox: fleet.JoinRequest["message"][] = [];
  #wake = () => {};

  constructor(address: string) {
    const kind = fleet.NodeKind.POLLER;
    this.#send({
      case: "hello",
      value: create(fleet.HelloSchema, {
        ...{ nodeId: this.#nodeId, kind, address: "127.0.0.1:1", version: "bench" },
      }),
    });
    void this.#run(address);
  }

  stop(): void {
    this.#end.abort();
  }

  async #run(address: string): Promise<void> {
    const client = createClient(fleet.FleetService, createRpcTransport({ address }));
    try {
      for await (const { message } of client.join(this.#requests(), { signal: this.#end.signal })) {
        if (message.case === "assignments") this.#obey(message.value);
      }
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    }
  }

  #obey({ generation, eventPollers }: fleet.Assignments): void {
    this.assigned = eventPollers.length;
    const held = eventPollers.map(({ mappingId, index, revision }) => ({
      ...{ mappingId, index, revision, memberId: `${mappingId}-${index}`, hasJoined: true },
    }));
    const value = create(fleet.HoldingsSchema, { appliedGeneration: generation, held });
    this.#send({ case: "holdings", value });
  }

  #send(message: fleet.JoinRequest["message"]): void {
    this.#outbox.push(message);
    this.#wake();
  }

  async *#requests(): AsyncGenerator<fleet.JoinRequest> {
    for (;;) {
      const message = this.#outbox.shift();
      if (message) yield create(fleet.JoinRequestSchema, { message });
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
