import { PenstockError } from "@penstock/core";

/**
 * Looks at brokers on a caller's behalf: so many at once, so long each. A look opens its own connections and closes them, so that it
 * neither waits for the controllers' questions nor delays them.
 */
export class BoundedLooks {
  readonly #atOnceMax: number;
  #running = 0;

  constructor(atOnceMax = 4) {
    this.#atOnceMax = atOnceMax;
  }

  /**
   * Opens, looks, closes.
   *
   * @throws PenstockError `limitExceeded` when too many are under way, `deadlineExceeded` after `ms`, and what the look throws.
   */
  async run<Client extends { close(): Promise<void> }, Result>(
    open: () => Client,
    ms: number,
    look: (client: Client) => Promise<Result>,
  ): Promise<Result> {
    if (this.#running >= this.#atOnceMax) {
      const message = `${this.#atOnceMax} looks at brokers are under way: try again in some seconds.`;
      throw new PenstockError("limitExceeded", message);
    }
    this.#running++;
    const client = open();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(lateBy(ms)), ms);
    });
    try {
      return await Promise.race([look(client), late]);
    } finally {
      clearTimeout(timer);
      this.#running--;
      // What is still asked ends with its connections.
      await client.close();
    }
  }
}

function lateBy(ms: number): PenstockError {
  return new PenstockError("deadlineExceeded", `The brokers did not answer within ${ms} ms.`);
}
