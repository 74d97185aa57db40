import { freePort, isPortFree } from "../../process/free-port.ts";

const ATTEMPTS_MAX = 5;

/**
 * Does `start` on the ports that are given, with free ones in place of those that aren't, and again on others when one of them was
 * taken by somebody else meanwhile: it can be, until the server binds it.
 */
export async function onFreePorts<T>(
  given: readonly (number | undefined)[],
  start: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const ports: number[] = [];
    for (const port of given) ports.push(port ?? (await freePort()));
    try {
      return await start(ports);
    } catch (cause) {
      const picked = ports.filter((_, index) => given[index] === undefined);
      const areFree = await Promise.all(picked.map(isPortFree));
      if (areFree.every(Boolean) || attempt === ATTEMPTS_MAX) throw cause;
    }
  }
}
