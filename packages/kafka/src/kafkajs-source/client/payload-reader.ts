import { PenstockError } from "@penstock/core";
import { WireReader } from "../../fetch/wire/wire-reader.ts";

/** Reads the payload of one response of kafkajs's front to back. What doesn't fit is `kafkaCorrupt`; never an array of an absurd length. */
export class PayloadReader extends WireReader {
  protected override fault(): Error {
    return new PenstockError("kafkaCorrupt", "A Kafka broker sent bytes that break the protocol.");
  }

  int8(): number {
    return this.buffer.readInt8(this.skip(1));
  }

  string(): string {
    return this.#text(this.int16());
  }

  compactString(): string {
    return this.#text(this.unsignedVarint() - 1);
  }

  /** Null arrays are empty ones. Every element has at least one byte. */
  array<T>(read: () => T): T[] {
    return this.#elements(this.int32(), read);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#elements(this.unsignedVarint() - 1, read);
  }

  /** Null is "". */
  #text(bytes: number): string {
    const start = this.skip(Math.max(0, bytes));
    return this.buffer.toString("utf8", start, this.at);
  }

  #elements<T>(count: number, read: () => T): T[] {
    if (count > this.buffer.length - this.at) throw this.fault();
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(read());
    return elements;
  }
}
