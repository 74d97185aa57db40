import { PenstockError } from "@penstock/core";

/** The Authorization header of AWS Signature Version 4, apart. */
export interface AwsAuthorization {
  readonly accessKeyId: string;
  /** `YYYYMMDD` of the credential scope. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Lower case, as the client listed them. */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits. */
  readonly signature: string;
}

export const AWS_ALGORITHM = "AWS4-HMAC-SHA256";
const SIGNED_HEADERS_MAX = 100;

/** @throws PenstockError `awsSignatureIncomplete` that names what is missing */
export function parseAwsAuthorization(header: string): AwsAuthorization {
  if (!header.startsWith(`${AWS_ALGORITHM} `)) {
    throw incomplete(`Authorization header requires '${AWS_ALGORITHM}'.`);
  }
  const parts = new Map<string, string>();
  for (const part of header.slice(AWS_ALGORITHM.length).split(",")) {
    const [, name, value] = /^\s*([A-Za-z]+)=(\S+)\s*$/.exec(part) ?? [];
    if (name !== undefined && value !== undefined) parts.set(name, value);
  }
  const credential = parts.get("Credential") ?? missing("Credential");
  const signature = parts.get("Signature") ?? missing("Signature");
  const signedHeaders = (parts.get("SignedHeaders") ?? missing("SignedHeaders"))
    .split(";", SIGNED_HEADERS_MAX)
    .map((name) => name.toLowerCase());
  const scope =
    /^([A-Za-z0-9_]{4,128})\/(\d{8})\/([a-z0-9-]{1,40})\/([a-z0-9-]{1,40})\/aws4_request$/;
  const [, accessKeyId = "", date = "", region = "", service = ""] = scope.exec(credential) ?? [];
  if (accessKeyId === "") {
    throw incomplete(
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    );
  }
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

function missing(parameter: string): never {
  throw incomplete(`Authorization header requires '${parameter}' parameter.`);
}

function incomplete(message: string): PenstockError {
  return new PenstockError("awsSignatureIncomplete", message);
}
