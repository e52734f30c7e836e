/** Resource quantities as exact numbers, and their CEL library. Registered by `environment.ts`. */
import type { Environment } from "@marcbachmann/cel-js";

const form = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Everything is kept in billionths: the smallest unit that Kubernetes knows. */
const scale = 9;
const unit = 10n ** BigInt(scale);

export class Quantity {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }

  /** Undefined for text that is no quantity. */
  static parse(text: string): Quantity | undefined {
    const match = form.exec(text);
    if (match === null) return undefined;
    const [, sign, digits = "", suffix = ""] = match;
    const size = toNanos(digits, suffix);
    return new Quantity(sign === "-" ? -size : size);
  }

  compare(other: Quantity): number {
    if (this.nanos === other.nanos) return 0;
    return this.nanos < other.nanos ? -1 : 1;
  }

  get isInteger(): boolean {
    const whole = this.nanos / unit;
    return this.nanos % unit === 0n && whole >= -(2n ** 63n) && whole < 2n ** 63n;
  }

  toString(): string {
    return this.isInteger ? String(this.nanos / unit) : `${this.nanos}n`;
  }
}

function toNanos(digits: string, suffix: string): bigint {
  const [whole = "", fraction = ""] = digits.split(".");
  const value = BigInt(`${whole}${fraction}` || "0");
  const power = binary.indexOf(suffix) + 1;
  if (power > 0) return scaled(value * 1024n ** BigInt(power), scale - fraction.length);
  const exponent = /^[eE]./.test(suffix) ? Number(suffix.slice(1)) : (decimal[suffix] ?? 0);
  return scaled(value, scale + exponent - fraction.length);
}

/** Rounds away from zero, as the Go library does below its precision. */
function scaled(value: bigint, exponent: number): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (value + divisor - 1n) / divisor;
}

export function registerQuantities(environment: Environment): void {
  const parse = (text: string) => {
    const quantity = Quantity.parse(text);
    if (quantity === undefined)
      throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return quantity;
  };
  const integer = (quantity: Quantity) => {
    if (!quantity.isInteger) throw new Error("cannot convert value to integer");
    return quantity.nanos / unit;
  };
  environment
    .registerType("Quantity", Quantity)
    .registerFunction("quantity(string): Quantity", parse)
    .registerFunction("isQuantity(string): bool", (text: string) => Quantity.parse(text) !== undefined)
    .registerFunction("Quantity.sign(): int", (q: Quantity) => BigInt(q.compare(new Quantity(0n))))
    .registerFunction("Quantity.isInteger(): bool", (q: Quantity) => q.isInteger)
    .registerFunction("Quantity.asInteger(): int", integer)
    .registerFunction("Quantity.asApproximateFloat(): double", (q: Quantity) => Number(q.nanos) / Number(unit))
    .registerFunction("Quantity.add(Quantity): Quantity", (a: Quantity, b: Quantity) => new Quantity(a.nanos + b.nanos))
    .registerFunction("Quantity.add(int): Quantity", (a: Quantity, b: bigint) => new Quantity(a.nanos + b * unit))
    .registerFunction("Quantity.sub(Quantity): Quantity", (a: Quantity, b: Quantity) => new Quantity(a.nanos - b.nanos))
    .registerFunction("Quantity.sub(int): Quantity", (a: Quantity, b: bigint) => new Quantity(a.nanos - b * unit))
    .registerFunction("Quantity.isLessThan(Quantity): bool", (a: Quantity, b: Quantity) => a.compare(b) < 0)
    .registerFunction("Quantity.isGreaterThan(Quantity): bool", (a: Quantity, b: Quantity) => a.compare(b) > 0)
    .registerFunction("Quantity.compareTo(Quantity): int", (a: Quantity, b: Quantity) => BigInt(a.compare(b)))
    .registerOperator("Quantity == Quantity", (a: Quantity, b: Quantity) => a.compare(b) === 0);
}
