/** The Kubernetes semver library. Registered by `environment.ts`. */
import type { Environment } from "@marcbachmann/cel-js";

const form =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

export class Semver {
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  static parse(text: string): Semver | undefined {
    const match = form.exec(text);
    if (match === null) return undefined;
    const numbers = match.slice(1, 4).map((part) => BigInt(part));
    return new Semver(numbers, match[4] === undefined ? [] : match[4].split("."));
  }

  compare(other: Semver): number {
    for (const [index, number] of this.numbers.entries()) {
      const theirs = other.numbers[index] ?? 0n;
      if (number !== theirs) return number < theirs ? -1 : 1;
    }
    return comparePrerelease(this.prerelease, other.prerelease);
  }
}

/** A release comes after its prereleases; numbers come before words. */
function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left === right) continue;
    const [isNumber, isOther] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    if (isNumber) return BigInt(left) < BigInt(right) ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

/** `v1.2` as `1.2.0`: a leading v goes, missing parts are zeros, leading zeros go. */
function normalize(text: string): string {
  const [core = "", ...rest] = text.replace(/^v/, "").split(/(?=[-+])/);
  const parts = core.split(".").map((part) => part.replace(/^0+(?=\d)/, ""));
  while (parts.length < 3) parts.push("0");
  return `${parts.join(".")}${rest.join("")}`;
}

export function registerSemver(environment: Environment): void {
  const parse = (text: string) => {
    const version = Semver.parse(text);
    if (version === undefined) throw new Error(`semver parse error: invalid version ${JSON.stringify(text)}`);
    return version;
  };
  environment
    .registerType("Semver", Semver)
    .registerFunction("semver(string): Semver", parse)
    .registerFunction("semver(string, bool): Semver", (text: string, loose: boolean) =>
      parse(loose ? normalize(text) : text),
    )
    .registerFunction("isSemver(string): bool", (text: string) => Semver.parse(text) !== undefined)
    .registerFunction(
      "isSemver(string, bool): bool",
      (text: string, loose: boolean) => Semver.parse(loose ? normalize(text) : text) !== undefined,
    )
    .registerFunction("Semver.major(): int", (version: Semver) => version.numbers[0])
    .registerFunction("Semver.minor(): int", (version: Semver) => version.numbers[1])
    .registerFunction("Semver.patch(): int", (version: Semver) => version.numbers[2])
    .registerFunction("Semver.isLessThan(Semver): bool", (a: Semver, b: Semver) => a.compare(b) < 0)
    .registerFunction("Semver.isGreaterThan(Semver): bool", (a: Semver, b: Semver) => a.compare(b) > 0)
    .registerFunction("Semver.compareTo(Semver): int", (a: Semver, b: Semver) => BigInt(a.compare(b)))
    .registerOperator("Semver == Semver", (a: Semver, b: Semver) => a.compare(b) === 0);
}
