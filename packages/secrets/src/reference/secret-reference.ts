import type { SourceAccessType } from "@penstock/core";

/**
 * A reference to a secret: what a mapping stores and what travels, never the secret itself.
 *
 *     arn:<partition>:secretsmanager:<region>:<account>:secret:<name>
 *     file:<path>      below PENSTOCK_SECRETS_DIR
 *     env:<name>       a variable whose name begins with PENSTOCK_SECRET_
 *     vault:<path>     of the configured KV v2 mount
 *     system           no secret: the roots of the system, for SERVER_ROOT_CA_CERTIFICATE alone
 *
 * All forms fit AWS's pattern of a source access URI. The grammar is written down in docs/operating/secrets.md.
 */
export type SecretReference =
  | { readonly kind: "arn"; readonly uri: string; readonly region: string; readonly name: string }
  | { readonly kind: "file"; readonly uri: string; readonly path: string }
  | { readonly kind: "env"; readonly uri: string; readonly name: string }
  | { readonly kind: "vault"; readonly uri: string; readonly path: string };

export type ParsedReference =
  | { readonly ok: true; readonly reference: SecretReference }
  /** What is wrong, to be read after the reference: `must be …`. */
  | { readonly ok: false; readonly problem: string };

/** The literal for TLS with the system's roots. */
export const SYSTEM_ROOTS = "system";

/** The end of the names of policy files, which are no secrets. */
export const POLICY_FILE_END = ".policy.yaml";

const URI_LENGTH_MAX = 200;
const URI = /^[ a-zA-Z0-9\-/*:_+=.@]*$/;
const ARN =
  /^arn:(aws[a-z-]{0,20}):secretsmanager:([a-z]{2,4}(?:-[a-z]{1,10}){1,3}-\d):(\d{12}):secret:(.+)$/;
const ENVIRONMENT_NAME = /^PENSTOCK_SECRET_[A-Za-z0-9_]+$/;
const PATH_SEGMENT = /^[A-Za-z0-9_+=@-][A-Za-z0-9_+=.@-]*$/;

export function parseSecretReference(uri: string): ParsedReference {
  if (uri === "") return wrong("must not be empty");
  if (uri.length > URI_LENGTH_MAX)
    return wrong(`must have at most ${URI_LENGTH_MAX} characters, not ${uri.length}`);
  if (!URI.test(uri)) {
    return wrong("may have letters, digits, blanks and -/*:_+=.@ only");
  }
  const colon = uri.indexOf(":");
  const scheme = colon < 0 ? "" : uri.slice(0, colon);
  const rest = uri.slice(colon + 1);
  if (scheme === "arn") return parseArn(uri);
  if (scheme === "file") return parseFile(uri, rest);
  if (scheme === "env") return parseEnvironment(uri, rest);
  if (scheme === "vault") return parseVault(uri, rest);
  if (uri === SYSTEM_ROOTS) {
    return wrong(`may be "${SYSTEM_ROOTS}" for SERVER_ROOT_CA_CERTIFICATE only`);
  }
  return wrong(
    "must begin with arn:aws:secretsmanager:, file:, env: or vault: (the reference to a secret, never the secret itself)",
  );
}

/**
 * What is wrong with a reference, for the API; null when nothing is. With the type of its entry the literal `system` is judged too; without it
 * is taken.
 */
export function secretReferenceProblem(uri: string, type?: SourceAccessType): string | null {
  if (uri === SYSTEM_ROOTS && (type === undefined || type === "SERVER_ROOT_CA_CERTIFICATE")) {
    return null;
  }
  const parsed = parseSecretReference(uri);
  return parsed.ok ? null : parsed.problem;
}

function parseArn(uri: string): ParsedReference {
  const match = ARN.exec(uri);
  const [, , region = "", , name = ""] = match ?? [];
  if (match === null) {
    return wrong("must be arn:aws:secretsmanager:<region>:<account>:secret:<name>");
  }
  const problem = pathProblem(name);
  if (problem !== null) return wrong(`must name a secret after "secret:" whose name ${problem}`);
  return { ok: true, reference: { kind: "arn", uri, region, name } };
}

function parseFile(uri: string, path: string): ParsedReference {
  if (path.startsWith("/")) {
    return wrong("must be a path below PENSTOCK_SECRETS_DIR, not an absolute one");
  }
  const problem = pathProblem(path);
  if (problem !== null)
    return wrong(`must name a file below PENSTOCK_SECRETS_DIR whose path ${problem}`);
  return { ok: true, reference: { kind: "file", uri, path } };
}

function parseEnvironment(uri: string, name: string): ParsedReference {
  if (!ENVIRONMENT_NAME.test(name)) {
    return wrong("must name a variable that begins with PENSTOCK_SECRET_");
  }
  return { ok: true, reference: { kind: "env", uri, name } };
}

function parseVault(uri: string, path: string): ParsedReference {
  const problem = pathProblem(path);
  if (problem !== null) return wrong(`must name a secret of the KV mount whose path ${problem}`);
  return { ok: true, reference: { kind: "vault", uri, path } };
}

function pathProblem(path: string): string | null {
  if (path === "") return "is not empty";
  if (path.endsWith(POLICY_FILE_END)) return `does not end with ${POLICY_FILE_END}`;
  for (const segment of path.split("/")) {
    if (segment === "") return "has no empty part";
    if (segment === "." || segment === "..") return "has no . and .. in it";
    if (segment.startsWith(".")) return "has no part that begins with a dot";
    if (!PATH_SEGMENT.test(segment)) return "has letters, digits and _+=.@- only";
  }
  return null;
}

function wrong(problem: string): ParsedReference {
  return { ok: false, problem };
}
