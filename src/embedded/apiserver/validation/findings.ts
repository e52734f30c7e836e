/** Collects the findings of one validation in the order of the checks. Paths are as clients see them: `spec.ports[0].name`. */
import { asArray, asObject, type JsonObject } from "../json-value.ts";
import { qualifiedNameProblems } from "../registry/qualified-name.ts";
import { cause, type StatusCause } from "../status.ts";

export const outOfRange = (low: number, high: number) => `must be between ${low} and ${high}, inclusive`;
const negative = "must be greater than or equal to 0";

export class Findings {
  readonly list: StatusCause[] = [];

  add(...findings: readonly StatusCause[]): void {
    this.list.push(...findings);
  }

  required(field: string, detail = ""): void {
    this.list.push(cause.required(field, detail));
  }

  invalid(field: string, got: unknown, detail: string): void {
    this.list.push(cause.invalid(field, got, detail));
  }

  forbidden(field: string, detail: string): void {
    this.list.push(cause.forbidden(field, detail));
  }

  duplicate(field: string, got: unknown): void {
    this.list.push(cause.duplicate(field, got));
  }

  notFound(field: string, got: unknown): void {
    this.list.push({ reason: "FieldValueNotFound", message: `Not found: ${JSON.stringify(got)}`, field });
  }

  /** Required where it is empty, refused where it is none of `values`. */
  oneOf(field: string, got: unknown, values: readonly string[]): void {
    if (got === undefined || got === "") this.required(field);
    else this.optionalOneOf(field, got, values);
  }

  optionalOneOf(field: string, got: unknown, values: readonly string[]): void {
    if (got !== undefined && !values.includes(String(got))) this.list.push(cause.unsupported(field, got, values));
  }

  /** A check that answers the detail of a finding, or undefined. */
  holds<T>(field: string, got: T, check: (value: T) => string | undefined): void {
    const problem = check(got);
    if (problem !== undefined) this.invalid(field, got, problem);
  }

  qualifiedName(field: string, got: string): void {
    for (const problem of qualifiedNameProblems(got)) this.invalid(field, got, problem);
  }

  range(field: string, got: unknown, low: number, high: number): void {
    if (got !== undefined && !(Number(got) >= low && Number(got) <= high))
      this.invalid(field, got, outOfRange(low, high));
  }

  notNegative(field: string, got: unknown): void {
    if (got !== undefined && Number(got) < 0) this.invalid(field, got, negative);
  }

  positive(field: string, got: unknown): void {
    if (!(Number(got ?? 0) > 0)) this.invalid(field, got ?? 0, "must be greater than zero");
  }
}

/** Runs `check` on each item of a list with its path. */
export function eachItem(list: unknown, path: string, check: (item: JsonObject, path: string, index: number) => void) {
  for (const [index, item] of asArray(list).entries()) check(asObject(item), `${path}[${index}]`, index);
}
