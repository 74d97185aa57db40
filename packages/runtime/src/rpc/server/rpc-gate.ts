/**
 * The gate before every RPC: who is it, and may they? Asked before a byte of the message is read.
 *
 *     call ─▶ open access, or health ─▶ in
 *          ─▶ authenticate ─▶ method table ─┬─▶ in, as a caller
 *                                           └─▶ denied: answered in the call's own protocol, its body unread
 *
 * A stream that was let in is looked at again every half minute: it ends when its credential has expired or was taken back.
 */
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { PenstockError } from "@penstock/core";
import type { Access, Admission, Presented } from "../../auth/access.ts";
import { ANONYMOUS, CALLER, type Caller } from "../../auth/caller.ts";
import { accessOf } from "../../auth/method-roles.ts";
import { requireRole } from "../../auth/roles.ts";

/** Why a call is denied; its interceptor throws it. */
export const DENIAL = createContextKey<PenstockError | null>(null, { description: "denial" });

export type Verdict =
  | { readonly isIn: true; readonly admission: Admission | null }
  | { readonly isIn: false; readonly error: PenstockError };

const RECHECK_MS = 30_000;

interface OpenStream {
  readonly method: string;
  readonly admission: Admission;
  readonly end: (reason: PenstockError) => void;
}

export class RpcGate {
  readonly #access: Access;
  readonly #streams = new Set<OpenStream>();
  readonly #timer: NodeJS.Timeout | null;

  /** @param recheckMs between looks at the credentials of open streams */
  constructor(access: Access, recheckMs = RECHECK_MS) {
    this.#access = access;
    this.#timer = access.isOpen ? null : setInterval(() => this.#recheck(), recheckMs);
    this.#timer?.unref();
  }

  /** Whether `judge` would let the call in whoever it is, so that nobody has to wait for that. */
  isFree(path: string): boolean {
    return this.#access.isOpen || accessOf(path) === "everybody";
  }

  /** Whether who calls it is to be remembered: it changes something, and callers have names. */
  isAudited(path: string): boolean {
    const access = accessOf(path);
    return !this.#access.isOpen && (access === "operator" || access === "admin");
  }

  /** Never rejects. */
  async judge(path: string, presented: Presented): Promise<Verdict> {
    if (this.isFree(path)) return { isIn: true, admission: null };
    let admission: Admission;
    try {
      admission = await this.#access.authenticate(presented);
    } catch (error) {
      return this.#deny(error, path, null);
    }
    try {
      allow(path, admission.caller);
      return { isIn: true, admission };
    } catch (error) {
      return this.#deny(error, path, admission.caller);
    }
  }

  /** A handler of an admitted caller has refused it something: counted as any other denial. */
  refused(path: string, caller: Caller): void {
    this.#access.denied("permissionDenied", { method: path, subject: caller.subject });
  }

  /** Watches over an admitted stream. @returns to be called when the stream is over */
  watch(method: string, admission: Admission, end: (reason: PenstockError) => void): () => void {
    const stream = { method, admission, end };
    this.#streams.add(stream);
    return () => void this.#streams.delete(stream);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#streams.clear();
  }

  #deny(error: unknown, method: string, caller: Caller | null): Verdict {
    // A bug in here must not open the door.
    const reason =
      error instanceof PenstockError
        ? error
        : new PenstockError("internal", "internal error", { cause: error });
    if (reason.code === "permissionDenied" || reason.code === "unauthenticated") {
      this.#access.denied(reason.code, { method, subject: caller?.subject ?? null });
    }
    return { isIn: false, error: reason };
  }

  #recheck(): void {
    for (const stream of [...this.#streams]) {
      if (stream.admission.isGood()) continue;
      this.#streams.delete(stream);
      const { subject } = stream.admission.caller;
      this.#access.denied("withdrawn", { method: stream.method, subject });
      stream.end(
        new PenstockError("unauthenticated", "The credential has expired or was taken back."),
      );
    }
  }
}

/** What the interceptor and the handler see of a verdict. */
export function valuesOf(verdict: Verdict): ContextValues {
  const values = createContextValues();
  if (!verdict.isIn) return values.set(DENIAL, verdict.error);
  return values.set(CALLER, verdict.admission?.caller ?? ANONYMOUS);
}

function allow(path: string, caller: Caller): void {
  const needed = accessOf(path);
  if (needed === null || needed === "everybody") {
    throw new PenstockError("permissionDenied", "Nobody may call this method.");
  }
  requireRole(caller, needed);
}
