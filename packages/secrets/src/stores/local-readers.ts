import { localFileOf } from "./local-names.ts";
import { secretError, secretText } from "./secret-error.ts";
import type { SecretReader } from "./secret-reader.ts";
import type { SecretsFolder } from "./secrets-folder.ts";

/** `file:`: a file below PENSTOCK_SECRETS_DIR. */
export function createFileReader(folder: SecretsFolder): SecretReader<"file"> {
  return {
    isRemote: false,
    async read({ uri, path }) {
      const text = await folder.read(path, uri);
      if (text !== null) return text;
      throw secretError("secretMissing", uri, "there is no such file below PENSTOCK_SECRETS_DIR");
    },
  };
}

/** `env:`: a variable of this process. `env` holds what main.ts was given. */
export function createEnvironmentReader(
  env: Readonly<Record<string, string | undefined>>,
): SecretReader<"env"> {
  return {
    isRemote: false,
    async read({ uri, name }) {
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value === undefined || value === "") {
        throw secretError("secretMissing", uri, "the variable is not set in this process");
      }
      return secretText(uri, Buffer.from(value));
    },
  };
}

/** ARNs mapped by name to the local folder: the default for those who host Penstock themselves. */
export function createMappedReader(folder: SecretsFolder): SecretReader<"arn"> {
  return {
    isRemote: false,
    async read({ uri, name }) {
      const path = await localFileOf(folder, name);
      const text = path === null ? null : await folder.read(path, uri);
      if (text !== null) return text;
      throw secretError(
        "secretMissing",
        uri,
        `there is no file "${name}" in PENSTOCK_SECRETS_DIR, where ARNs lead unless PENSTOCK_SECRETS_MANAGER is aws`,
      );
    },
  };
}
