/** Resource quantities: `500m`, `2Gi`, `1e3`. Compared exactly, in billionths as integers. Pure. Called by the API server and the kubelet. */

const suffixes: Readonly<Record<string, readonly [numerator: bigint, denominator: bigint]>> = {
  n: [1n, 1_000_000_000n],
  u: [1n, 1_000_000n],
  m: [1n, 1000n],
  "": [1n, 1n],
  k: [1000n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [1n << 10n, 1n],
  Mi: [1n << 20n, 1n],
  Gi: [1n << 30n, 1n],
  Ti: [1n << 40n, 1n],
  Pi: [1n << 50n, 1n],
  Ei: [1n << 60n, 1n],
};
const billion = 1_000_000_000n;
const form = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3})?$/;

/** Billionths of the unit, rounded away from zero; undefined for text that is no quantity. */
export function parseNanos(value: unknown): bigint | undefined {
  const match = form.exec(String(value ?? ""));
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match ?? [];
  if (match === null || (whole === "" && fraction === "")) return undefined;
  const [numerator, denominator] = scaleOf(suffix);
  const divisor = denominator * 10n ** BigInt(fraction.length);
  const product = BigInt(`${whole}${fraction}`) * numerator * billion;
  const nanos = product / divisor + (product % divisor === 0n ? 0n : 1n);
  return sign === "-" ? -nanos : nanos;
}

function scaleOf(suffix: string): readonly [bigint, bigint] {
  const known = suffixes[suffix];
  if (known !== undefined) return known;
  const exponent = Number(suffix.slice(1));
  return exponent >= 0 ? [10n ** BigInt(exponent), 1n] : [1n, 10n ** BigInt(-exponent)];
}

/** Below zero, zero or above zero, as `a` is less than, the same as or more than `b`. */
export function compareQuantities(a: unknown, b: unknown): number {
  const difference = (parseNanos(a) ?? 0n) - (parseNanos(b) ?? 0n);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const isWhole = (value: unknown): boolean => (parseNanos(value) ?? 0n) % billion === 0n;

const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** As the API server writes it: no fraction, the largest suffix of the same family that keeps the value whole. */
export function canonicalQuantity(text: string): string {
  const nanos = parseNanos(text);
  if (nanos === undefined) return text;
  if (nanos === 0n) return "0";
  const suffix = form.exec(text)?.[4] ?? "";
  const magnitude = nanos < 0n ? -nanos : nanos;
  if (suffix.endsWith("i") && magnitude >= 1024n * billion) return formatBinary(nanos);
  let value = nanos;
  let step = 0;
  for (; value % 1000n === 0n && step < decimalSuffixes.length - 1; step += 1) value /= 1000n;
  if (!/^[eE]/.test(suffix) || suffix === "E") return `${value}${decimalSuffixes[step]}`;
  const exponent = 3 * step - 9;
  return exponent === 0 ? String(value) : `${value}e${exponent}`;
}

function formatBinary(nanos: bigint): string {
  let value = nanos / billion + (nanos % billion > 0n ? 1n : 0n);
  let step = 0;
  for (; value % 1024n === 0n && step < binarySuffixes.length - 1; step += 1) value /= 1024n;
  return `${value}${binarySuffixes[step]}`;
}

/** The sum in the format of the first operand that is not zero. */
export function addQuantities(a: string, b: string): string {
  return fromNanos((parseNanos(a) ?? 0n) + (parseNanos(b) ?? 0n), formatOf(a, b));
}

export function subtractQuantities(a: string, b: string): string {
  return fromNanos((parseNanos(a) ?? 0n) - (parseNanos(b) ?? 0n), formatOf(a, b));
}

function formatOf(a: string, b: string): string {
  const leading = (parseNanos(a) ?? 0n) === 0n ? b : a;
  return form.exec(leading)?.[4] ?? "";
}

function fromNanos(nanos: bigint, suffix: string): string {
  if (suffix.endsWith("i") && nanos % billion === 0n) return nanos === 0n ? "0" : formatBinarySum(nanos);
  return canonicalQuantity(`${nanos}n`);
}

/** A sum of binary quantities may be below what a suffix can say; then it is a plain number. */
function formatBinarySum(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  return magnitude >= 1024n * billion ? formatBinary(nanos) : String(nanos / billion);
}
