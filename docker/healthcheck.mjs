/** Container health: exit code 0 when the service on the given HTTP port of this container says that it is ready. */
const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`, {
  signal: AbortSignal.timeout(3_000),
}).catch(() => undefined);
process.exit(answer?.ok === true ? 0 : 1);
