import { SecretMembers } from "./read-members.ts";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** `{"username", "password"}`. @throws PenstockError `secretMalformed` */
export function readLogin(uri: string, text: string): Login {
  const members = new SecretMembers(uri, text);
  const login = { username: members.required("username"), password: members.required("password") };
  for (const [name, value] of Object.entries(login)) {
    // SASL/PLAIN separates its parts with NUL (RFC 4616); no mechanism can carry one.
    if (value.includes("\0")) throw members.malformed(`"${name}" has a NUL character in it`);
  }
  return login;
}
