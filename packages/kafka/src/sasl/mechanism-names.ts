const NAMES_MAX = 10;

/** What a broker says that it offers, in words; only what looks like a mechanism is repeated. */
export function offers(mechanisms: readonly string[]): string {
  const names = mechanisms.filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)).slice(0, NAMES_MAX);
  return names.length === 0 ? "" : `; it offers ${names.join(", ")}`;
}
