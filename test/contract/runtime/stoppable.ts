import { afterEach } from "vitest";

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Keeps what a test starts and stops it after the test, last started first. The returned function hands its argument back:
 *
 *     const server = keep(await startRpcServer(...));
 */
export function stopAfterEach(): <T extends Stoppable>(stoppable: T) => T {
  const kept: Stoppable[] = [];
  afterEach(async () => {
    for (const stoppable of kept.splice(0).reverse()) await stoppable.stop();
  });
  return (stoppable) => {
    kept.push(stoppable);
    return stoppable;
  };
}

/** A promise and its resolver, to wait for something that happens elsewhere. */
export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, resolve };
}
