import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { fleet } from "@penstock/proto";
import { type ClientSecurity, joinFleet, type Logger } from "@penstock/runtime";
import { settingsOf } from "./assignment-settings.ts";
import type { FunctionCache } from "./function-cache.ts";
import type { PollerNode } from "./poller-node.ts";
import type { ProgressReport } from "./progress-report.ts";

/** How often progress is reported, ms. */
const REPORT_INTERVAL_MS = 1000;

export interface FleetLinkOptions {
  /** gRPC address of the mapping service. */
  readonly address: string;
  readonly nodeId: string;
  /** Where others reach this node's gRPC port. */
  readonly advertised: string;
  readonly version: string;
  readonly node: PollerNode;
  readonly functions: FunctionCache;
  readonly report: ProgressReport;
  readonly invokersChanged: (invokers: readonly fleet.Invoker[]) => void;
  readonly log: Logger;
  readonly security: ClientSecurity;
}

/**
 * The node's stream to the mapping service: assignments, functions and invokers come, holdings and progress go. While it is
 * down the node works on with what it last heard, and tells everything again when it is back.
 */
export class FleetLink {
  readonly #options: FleetLinkOptions;
  readonly #join: ReturnType<typeof joinFleet>;
  readonly #timer: NodeJS.Timeout;
  #areHoldingsDue = true;

  constructor(options: FleetLinkOptions) {
    this.#options = options;
    this.#join = joinFleet({
      address: options.address,
      hello: {
        nodeId: options.nodeId,
        kind: fleet.NodeKind.POLLER,
        address: options.advertised,
        version: options.version,
      },
      log: options.log,
      onMessage: (message) => this.#take(message),
      onConnected: () => {
        options.report.startOver();
        this.#sendHoldings();
      },
      onDisconnected: () => {},
      security: options.security,
    });
    this.#timer = setInterval(() => this.#tick(), REPORT_INTERVAL_MS);
  }

  get isConnected(): boolean {
    return this.#join.isConnected;
  }

  /** What is held, or how far the node has obeyed, changed: told in this turn of the event loop, once. */
  holdingsChanged(): void {
    if (this.#areHoldingsDue) return;
    this.#areHoldingsDue = true;
    setImmediate(() => this.#sendHoldings());
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#tick();
    this.#sendHoldings();
    await this.#join.close();
  }

  #take({ message }: fleet.JoinResponse): void {
    const { node, functions, report } = this.#options;
    switch (message.case) {
      case "assignments":
        node.assign(message.value.generation, message.value.eventPollers.map(settingsOf));
        break;
      case "functions":
        for (const name of functions.apply(message.value)) node.functionChanged(name);
        break;
      case "invokers":
        this.#options.invokersChanged(message.value.invokers);
        break;
      case "plannedChange":
        node.expectChange(
          new Set(message.value.consumerGroupIds),
          message.value.duration === undefined ? 0 : durationMs(message.value.duration),
        );
        break;
      case "progressStored":
        report.stored(message.value.sequence);
        break;
      default:
        break;
    }
  }

  #tick(): void {
    for (const poller of this.#options.node.pollers()) poller.refresh();
    if (!this.#join.isConnected) return;
    if (this.#areHoldingsDue) this.#sendHoldings();
    this.#sendProgress();
  }

  #sendProgress(): void {
    const { node, report } = this.#options;
    const progress = report.next(node.pollers());
    if (progress === null) return;
    const message = create(fleet.JoinRequestSchema, {
      message: { case: "progress", value: progress },
    });
    if (!this.#join.send(message)) report.startOver();
  }

  #sendHoldings(): void {
    const { node, report } = this.#options;
    if (this.#join.isConnected && report.hasLastWords) this.#sendProgress();
    const held: fleet.HeldEventPoller[] = [];
    for (const poller of node.pollers()) {
      const { mappingId, index, revision } = poller.settings();
      held.push(
        create(fleet.HeldEventPollerSchema, {
          mappingId,
          index,
          revision,
          memberId: poller.memberId,
          hasJoined: poller.state.phase === "member",
        }),
      );
    }
    const holdings = create(fleet.HoldingsSchema, {
      appliedGeneration: node.appliedGeneration,
      held,
      isDraining: node.isDraining,
    });
    this.#areHoldingsDue = !this.#join.send(
      create(fleet.JoinRequestSchema, { message: { case: "holdings", value: holdings } }),
    );
  }
}
