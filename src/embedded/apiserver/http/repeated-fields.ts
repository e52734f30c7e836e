/**
 * Finds keys that a JSON text has twice in one object, which JSON.parse takes in silence: `duplicate field "spec.foo"`,
 * as strict field validation words it. One pass over the text, which must be valid JSON. Pure.
 */
const maxFindings = 100;
/** Nothing that Kubernetes stores is nearly as deep; what is would exhaust the stack of those who walk it. */
const maxDepth = 1_000;

export class DepthError extends Error {
  override readonly name = "DepthError";
}

export function findRepeatedFields(text: string): string[] {
  const scanner = new Scanner(text);
  scanner.value("");
  return scanner.findings;
}

const backslash = 0x5c;

class Scanner {
  readonly findings: string[] = [];
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string): void {
    this.#skipSpace();
    const char = this.#text[this.#at];
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new DepthError("exceeded max depth");
    if (char === "{") this.#object(path);
    else if (char === "[") this.#list(path);
    else if (char === '"') this.#skipString();
    else this.#skipScalar();
    this.#depth -= 1;
  }

  #object(path: string): void {
    const seen = new Set<string>();
    this.#at += 1;
    for (this.#skipSpace(); this.#text[this.#at] !== "}"; this.#skipSpace()) {
      const name = this.#key();
      const field = path === "" ? name : `${path}.${name}`;
      if (seen.has(name) && this.findings.length < maxFindings)
        this.findings.push(`duplicate field ${JSON.stringify(field)}`);
      seen.add(name);
      this.#skipSpace();
      this.#at += 1;
      this.value(field);
      this.#skipComma();
    }
    this.#at += 1;
  }

  #list(path: string): void {
    this.#at += 1;
    this.#skipSpace();
    for (let index = 0; this.#text[this.#at] !== "]"; index += 1) {
      this.value(`${path}[${index}]`);
      this.#skipComma();
    }
    this.#at += 1;
  }

  #key(): string {
    const start = this.#at;
    this.#skipString();
    const raw = this.#text.slice(start + 1, this.#at - 1);
    return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  #skipComma(): void {
    this.#skipSpace();
    if (this.#text[this.#at] === ",") this.#at += 1;
    this.#skipSpace();
  }

  #skipString(): void {
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    while (end >= 0 && this.#isEscaped(start, end)) end = this.#text.indexOf('"', end + 1);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  /** Whether an odd number of backslashes stands before `at`. */
  #isEscaped(start: number, at: number): boolean {
    let before = at;
    while (before > start && this.#text.charCodeAt(before - 1) === backslash) before -= 1;
    return (at - before) % 2 === 1;
  }

  #skipScalar(): void {
    while (this.#at < this.#text.length && !",]} \n\r\t".includes(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at += 1;
  }
}
