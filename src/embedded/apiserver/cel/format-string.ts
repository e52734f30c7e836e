/** `"...".format([...])` of the CEL strings extension: %s %d %f %e %b %o %x %X and %%. Pure. */
import { UnsignedInt } from "@marcbachmann/cel-js/evaluator";

export function formatString(template: string, args: readonly unknown[]): string {
  let next = 0;
  const take = () => {
    if (next >= args.length) throw new Error(`index ${next} out of range`);
    const value = args[next];
    next += 1;
    return value;
  };
  return template.replace(/%(?:%|(?:\.(\d+))?([a-zA-Z]))/g, (clause, precision: string | undefined, letter?: string) =>
    letter === undefined ? "%" : formatClause(clause, letter, take(), precision),
  );
}

function formatClause(clause: string, letter: string, value: unknown, precision: string | undefined): string {
  const digits = precision === undefined ? 6 : Number(precision);
  if (letter === "s") return showValue(value);
  if (letter === "d") return showDecimal(value);
  if (letter === "f") return numberOf(value, clause).toFixed(digits);
  if (letter === "e")
    return numberOf(value, clause)
      .toExponential(digits)
      .replace(/e([+-])(\d)$/, "e$10$2");
  if (letter === "b") return typeof value === "boolean" ? String(Number(value)) : integerOf(value, clause).toString(2);
  if (letter === "o") return integerOf(value, clause).toString(8);
  if (letter === "x") return toHex(value, clause);
  if (letter === "X") return toHex(value, clause).toUpperCase();
  throw new Error(`could not parse formatting clause: unrecognized formatting clause "${letter}"`);
}

function showDecimal(value: unknown): string {
  if (typeof value === "bigint" || typeof value === "number" || value instanceof UnsignedInt) return String(value);
  throw new Error(`error during formatting: decimal clause can only be used on integers, was given ${nameOf(value)}`);
}

function toHex(value: unknown, clause: string): string {
  if (typeof value === "string") return Buffer.from(value).toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return integerOf(value, clause).toString(16);
}

function integerOf(value: unknown, clause: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof UnsignedInt) return value.valueOf();
  throw new Error(`error during formatting: ${clause} takes integers, was given ${nameOf(value)}`);
}

function numberOf(value: unknown, clause: string): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  throw new Error(`error during formatting: ${clause} takes numbers, was given ${nameOf(value)}`);
}

function nameOf(value: unknown): string {
  return value === null ? "null_type" : typeof value;
}

/** A value as `%s` shows it; lists and maps with what they hold. */
export function showValue(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Date) return showTime(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return `[${value.map(showValue).join(", ")}]`;
  if (typeof value === "object" && (value.constructor === Object || value.constructor === undefined)) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${name}: ${showValue((value as Record<string, unknown>)[name])}`).join(", ")}}`;
  }
  return String(value);
}

/** RFC 3339 with no more digits than needed. */
export function showTime(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, "Z");
}
