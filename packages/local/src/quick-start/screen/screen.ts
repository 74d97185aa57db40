/** What the quick start shows: plain lines, a table, one line for each delivery. Colours only on a terminal. */
import type { Writable } from "node:stream";

export interface TableRow {
  readonly name: string;
  readonly address: string;
  readonly pid: string;
  readonly note: string;
}

export class Screen {
  readonly #output: Writable;
  readonly #hasColours: boolean;

  constructor(output: Writable, hasColours: boolean) {
    this.#output = output;
    this.#hasColours = hasColours;
  }

  line(text = ""): void {
    this.#output.write(`${text}\n`);
  }

  /** Something that happened: the time, who, what. */
  event(who: string, what: string): void {
    const time = new Date().toTimeString().slice(0, 8);
    this.line(`${this.#dim(time)}  ${who.padEnd(14)} ${what}`);
  }

  heading(text: string): void {
    this.line(`\n${this.#hasColours ? `\u001b[1m${text}\u001b[0m` : text}`);
  }

  table(rows: readonly TableRow[]): void {
    const widths = (["name", "address", "pid"] as const).map((column) =>
      Math.max(...rows.map((row) => row[column].length)),
    );
    for (const { name, address, pid, note } of rows) {
      const cells = [name, address, pid].map((cell, index) => cell.padEnd(widths[index] ?? 0));
      this.line(`  ${[...cells, this.#dim(note)].join("  ")}`.trimEnd());
    }
  }

  #dim(text: string): string {
    return this.#hasColours && text !== "" ? `\u001b[2m${text}\u001b[0m` : text;
  }
}
