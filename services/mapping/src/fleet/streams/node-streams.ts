import { PenstockError } from "@penstock/core";
import { foreignNode } from "./admit-node.ts";
import type { NodeKind, NodeStream } from "./node-stream.ts";

/** The streams that this replica has, one for each node at most. */
export class NodeStreams {
  readonly #streamsMax: number;
  readonly #byNode = new Map<string, NodeStream>();

  constructor(streamsMax: number) {
    this.#streamsMax = streamsMax;
  }

  /** A second stream of the same node ends the first, unless it comes with another credential. */
  add(stream: NodeStream): void {
    const { nodeId, credential } = stream.identity;
    const former = this.#byNode.get(nodeId);
    const holder = former?.identity.credential ?? credential;
    if (holder !== credential) throw foreignNode(nodeId);
    if (former === undefined && this.#byNode.size >= this.#streamsMax) {
      throw new PenstockError("limitExceeded", "too many nodes have joined this replica");
    }
    if (former !== undefined) this.replace(former);
    this.#byNode.set(nodeId, stream);
  }

  /** Ends a stream that the node has given up for another one. */
  replace(stream: NodeStream): void {
    stream.isReplaced = true;
    stream.outbox.end();
    this.remove(stream);
  }

  /** Ends a stream whose node is somebody else's. */
  refuse(stream: NodeStream): void {
    stream.refusal = foreignNode(stream.identity.nodeId);
    this.replace(stream);
  }

  remove(stream: NodeStream): void {
    const { nodeId } = stream.identity;
    if (this.#byNode.get(nodeId) === stream) this.#byNode.delete(nodeId);
  }

  get(nodeId: string): NodeStream | undefined {
    return this.#byNode.get(nodeId);
  }

  all(kind?: NodeKind): NodeStream[] {
    const streams = [...this.#byNode.values()];
    return kind === undefined ? streams : streams.filter((one) => one.identity.kind === kind);
  }

  endAll(): void {
    for (const stream of this.#byNode.values()) stream.outbox.end();
  }
}
