import { AddressGuard } from "./address-guard.ts";
import { parseAddressRules } from "./address-rules.ts";
import { type AddressLookup, NameLookups } from "./name-lookups.ts";

/**
 * The guards of a process: one for each kind of place that something outbound dials, over the same look-ups.
 *
 * Functions, brokers, token endpoints, registries and destinations are named by users: private addresses only by the operator's word. Vault,
 * Secrets Manager and the key sets of callers' tokens are named by the operator in a setting, which is that word already.
 */
export const ADDRESS_KINDS = [
  "brokers",
  "functions",
  "tokenEndpoints",
  "keySets",
  "vault",
  "secretsManager",
  "registries",
  "destinations",
] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** As the settings give it; the names are those of the settings table. */
export interface AddressSettings {
  /** PENSTOCK_ALLOW_PRIVATE_ADDRESSES: for functions and brokers. */
  readonly allowPrivateAddresses: boolean;
  readonly deniedAddresses?: readonly string[];
  readonly allowedBrokers?: readonly string[];
  readonly allowedFunctions?: readonly string[];
  readonly allowedTokenEndpoints?: readonly string[];
  readonly allowedKeySets?: readonly string[];
  readonly allowedVault?: readonly string[];
  readonly allowedSecretsManager?: readonly string[];
  readonly allowedRegistries?: readonly string[];
  readonly allowedDestinations?: readonly string[];
}

export interface AddressGuards {
  of(kind: AddressKind): AddressGuard;
}

/** The setting of each kind, and whether it may be private without a list. */
const KINDS: Record<
  AddressKind,
  { key: keyof AddressSettings; setting: string; isPrivate: "never" | "setting" | "always" }
> = {
  brokers: { key: "allowedBrokers", setting: "BROKERS", isPrivate: "setting" },
  functions: { key: "allowedFunctions", setting: "FUNCTIONS", isPrivate: "setting" },
  tokenEndpoints: {
    key: "allowedTokenEndpoints",
    setting: "TOKEN_ENDPOINTS",
    isPrivate: "never",
  },
  keySets: { key: "allowedKeySets", setting: "KEY_SETS", isPrivate: "always" },
  vault: { key: "allowedVault", setting: "VAULT", isPrivate: "always" },
  secretsManager: {
    key: "allowedSecretsManager",
    setting: "SECRETS_MANAGER",
    isPrivate: "always",
  },
  registries: { key: "allowedRegistries", setting: "REGISTRIES", isPrivate: "never" },
  destinations: { key: "allowedDestinations", setting: "DESTINATIONS", isPrivate: "never" },
};

/** @throws PenstockError `invalidArgument` that names a setting with an item that is no rule. */
export function createAddressGuards(options: {
  readonly settings: AddressSettings;
  readonly ownPorts: () => Iterable<number>;
  readonly lookup?: AddressLookup;
}): AddressGuards {
  const { settings, ownPorts } = options;
  const lookups = new NameLookups(options);
  const never = parseAddressRules("PENSTOCK_DENIED_ADDRESSES", settings.deniedAddresses ?? []);
  const guards = new Map<AddressKind, AddressGuard>();
  for (const kind of ADDRESS_KINDS) {
    const { key, setting, isPrivate } = KINDS[kind];
    const items = settings[key];
    const name = `PENSTOCK_ALLOWED_ADDRESSES_${setting}`;
    const isListed = Array.isArray(items) && items.length > 0;
    guards.set(
      kind,
      new AddressGuard({
        allowPrivateAddresses:
          isPrivate === "always" || (isPrivate === "setting" && settings.allowPrivateAddresses),
        privateSetting: isPrivate === "setting" ? "PENSTOCK_ALLOW_PRIVATE_ADDRESSES" : name,
        ownPorts,
        allowed: isListed ? { rules: parseAddressRules(name, items), setting: name } : null,
        denied: never,
        lookups,
      }),
    );
  }
  return {
    of(kind) {
      const guard = guards.get(kind);
      if (guard === undefined) throw new TypeError(`no guard of ${kind}`);
      return guard;
    },
  };
}
