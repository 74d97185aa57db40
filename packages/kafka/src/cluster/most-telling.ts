import { type ErrorCode, PenstockError } from "@penstock/core";

/** The sooner, the more it says about what to change. What is not named here comes last. */
const ORDER: readonly ErrorCode[] = [
  "secretDenied",
  "secretMalformed",
  "secretMissing",
  "kafkaAuthentication",
  "kafkaAuthorization",
  "kafkaTls",
  "kafkaProtocolMismatch",
  "kafkaUnsupported",
  "addressDenied",
  "secretUnavailable",
  "kafkaHostUnknown",
  "kafkaCorrupt",
  "kafkaUnavailable",
];

/** Of the failures of several servers, the one to show; the first of those that say as much. */
export function mostTelling(errors: readonly unknown[]): unknown {
  const rank = (error: unknown) => {
    const at = error instanceof PenstockError ? ORDER.indexOf(error.code) : -1;
    return at < 0 ? ORDER.length : at;
  };
  return errors.reduce((best, error) => (rank(error) < rank(best) ? error : best), errors[0]);
}
