/**
 * Set-up of every test file: properties run from one seed, so that a run says the same about the same code. `PROPERTY_SEED=random npm test`
 * looks further; a failure prints the seed that it had.
 */
import fc from "fast-check";

const wanted = process.env.PROPERTY_SEED ?? "20261123";
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted) });
