/** Waits until `claim` holds, at most `limitMs`. */
export async function until(
  claim: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await claim())) {
    if (performance.now() > end) throw new Error(`not so within ${limitMs} ms: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
