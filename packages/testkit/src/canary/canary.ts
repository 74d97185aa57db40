/**
 * Recognisable secrets (I-21): tests make their passwords, tokens, keys and header values from one text, and at the end of the run nothing that
 * the run left behind may contain it.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { runFolder } from "./run-folder.ts";

/** Long enough not to be there by chance; letters and digits only, so that it stays itself in URLs, JSON and SASL. */
export const CANARY = "Canary7Q4xW9mZ2Singing";

/** File of the run folder that tells what was planted, without the secrets themselves. */
export const PLANTED_FILE = "planted.txt";

/** A secret for a test: `plantedSecret("scram-password")`. It is itself where a password of 38 characters may stand. */
export function plantedSecret(name: string): string {
  const folder = runFolder();
  if (folder !== null) appendFileSync(join(folder, PLANTED_FILE), `${name}\n`);
  return `${CANARY}-${name}`;
}

/**
 * The canary as it may be written: plain, hexadecimal (what Postgres makes of bytes), and base64, of which there are three, one for each
 * place in a group of three bytes at which it can begin.
 */
export function canaryForms(canary = CANARY): readonly { form: string; text: string }[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(canary)]).toString("base64");
    // Characters at the ends also hold bits of the neighbours.
    const start = Math.ceil((shift * 8) / 6);
    const whole = Math.floor(((shift + canary.length) * 8) / 6);
    return { form: "base64", text: text.slice(start, whole) };
  });
  const hex = Buffer.from(canary).toString("hex");
  return [
    { form: "plain", text: canary },
    { form: "hexadecimal", text: hex },
    { form: "hexadecimal", text: hex.toUpperCase() },
    ...base64,
  ];
}
