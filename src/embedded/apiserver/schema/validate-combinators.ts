/** allOf, anyOf, oneOf and not of a schema: what fails, and what the nearest alternative would have wanted. Pure. */
import { cause, type StatusCause } from "../status.ts";
import type { Schema } from "./schema.ts";
import { validateStructure } from "./validate.ts";

export function checkCombinators(value: unknown, schema: Schema, path: string): StatusCause[] {
  const check = (part: Schema) => validateStructure(value, part, path);
  const fail = (detail: string) => cause.invalid("<nil>", "", `${JSON.stringify(path)} ${detail}`);
  const findings: StatusCause[] = [];
  const { anyOf = [], oneOf = [], allOf = [], not } = schema;
  if (anyOf.length > 0) {
    const outcomes = anyOf.map(check);
    if (outcomes.every((outcome) => outcome.length > 0))
      findings.push(fail("must validate at least one schema (anyOf)"), ...nearest(outcomes));
  }
  if (oneOf.length > 0) {
    const outcomes = oneOf.map(check);
    const valid = outcomes.filter((outcome) => outcome.length === 0).length;
    const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
    if (valid !== 1) findings.push(fail(`must validate one and only one schema (oneOf). ${found}`));
    if (valid === 0) findings.push(...nearest(outcomes));
  }
  if (allOf.length > 0) {
    const outcomes = allOf.map(check);
    findings.push(...outcomes.flat());
    const failed = outcomes.filter((outcome) => outcome.length > 0).length;
    if (failed > 0)
      findings.push(fail(`must validate all the schemas (allOf)${failed === allOf.length ? ". None validated" : ""}`));
  }
  if (not !== undefined && check(not).length === 0) findings.push(fail("must not validate the schema (not)"));
  return findings;
}

/** Of the alternatives, the one that fails least. */
function nearest(outcomes: readonly StatusCause[][]): readonly StatusCause[] {
  return outcomes.reduce((best, outcome) => (outcome.length < best.length ? outcome : best));
}
