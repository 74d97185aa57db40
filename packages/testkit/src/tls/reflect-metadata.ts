/**
 * The four functions of the `Reflect` metadata proposal that @peculiar/x509's dependency container needs before it is loaded; a
 * polyfill package would be one more dependency for them. Import this file before that one.
 */
const store = new WeakMap<object, Map<unknown, unknown>>();

const own = (key: unknown, target: object): unknown => store.get(target)?.get(key);

function define(key: unknown, value: unknown, target: object): void {
  const metadata = store.get(target) ?? new Map<unknown, unknown>();
  store.set(target, metadata.set(key, value));
}

Object.assign(Reflect, {
  defineMetadata: define,
  getMetadata: own,
  getOwnMetadata: own,
  metadata: (key: unknown, value: unknown) => (target: object) => define(key, value, target),
});
