import { PenstockError } from "@penstock/core";
import type { SecuritySettings } from "../auth/open-security.ts";
import type { FileGroup } from "../files/file-group.ts";
import { Secret } from "../secrets/secret.ts";
import type { ClientSecurity, ClientTls } from "./client-security.ts";
import { checkIdentity, type Identity, type ListenerTls } from "./listener-tls.ts";

/** The certificate of the process, if it has one. */
export async function openIdentity(
  settings: SecuritySettings,
  files: FileGroup,
): Promise<ListenerTls | null> {
  const { tlsCertificateFile, tlsKeyFile, tlsClientCaFile } = settings;
  if (tlsCertificateFile === null || tlsKeyFile === null) return null;
  const listeners = new Set<(identity: Identity) => void>();
  const paths = [tlsCertificateFile, tlsKeyFile].concat(tlsClientCaFile ?? []);
  const file = await files.open(
    "TLS certificate",
    paths,
    ([certificate = "", key = "", clientCa]) =>
      checkIdentity({ certificate, key, clientCa: clientCa ?? null }),
    (identity) => {
      for (const changed of listeners) changed(identity);
    },
  );
  return {
    get identity() {
      return file.value;
    },
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}

/** How the process calls the others; the two differ in their token alone. */
export async function openClients(
  settings: SecuritySettings,
  files: FileGroup,
  identity: ListenerTls | null,
): Promise<{ client: ClientSecurity; invokerClient: ClientSecurity }> {
  const { nodeTokenFile, invokerTokenFile, tlsCaFile } = settings;
  const ca =
    tlsCaFile === null
      ? null
      : await files.open("TLS authority", [tlsCaFile], ([pem]) => pem ?? "");
  const tls = (): ClientTls => ({
    ca: ca?.value ?? null,
    certificate: identity?.identity.certificate ?? null,
    key: identity?.identity.key ?? null,
  });
  const withToken = async (path: string | null): Promise<ClientSecurity> => {
    const token = path === null ? null : await files.open("token file", [path], readToken);
    return {
      tls: ca === null && identity === null ? null : tls,
      authorization: () => (token === null ? null : `Bearer ${token.value.reveal()}`),
    };
  };
  const client = await withToken(nodeTokenFile);
  const invokerClient = invokerTokenFile === null ? client : await withToken(invokerTokenFile);
  return { client, invokerClient };
}

function readToken([text = ""]: readonly string[]): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]{16,8192}$/.test(token)) return new Secret(token);
  throw new PenstockError(
    "invalidArgument",
    "A token must have 16 to 8192 printable characters without blanks.",
  );
}
