/** Label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Parsing throws a 400 in Kubernetes' words; matching is pure. */
import { badRequest } from "../status.ts";
import { checkLabelKey, checkLabelValue, checkOrderBound } from "./label-rules.ts";

type Labels = Readonly<Record<string, string>>;
export type LabelMatcher = (labels: Labels) => boolean;

export function parseLabelSelector(text: string): LabelMatcher | undefined {
  const requirements = new LabelParser(text).parse();
  return requirements.length === 0 ? undefined : (labels) => requirements.every((holds) => holds(labels));
}

const symbols = new Set(["(", ")", ",", "!", "=", "==", "!=", "<", ">"]);
const operators = ["in", "notin", "=", "==", "!=", "gt", "lt"];
const end = "";

class LabelParser {
  readonly #tokens: readonly string[];
  #index = 0;

  constructor(text: string) {
    this.#tokens = text.match(/==|!=|[(),!=<>]|[^\s(),!=<>]+/g) ?? [];
  }

  parse(): LabelMatcher[] {
    const requirements: LabelMatcher[] = [];
    if (this.#peek() === end) return requirements;
    if (this.#peek() !== "!" && symbols.has(this.#peek()))
      throw badRequest(this.#unexpected(", expected: !, identifier, or 'end of string'"));
    for (;;) {
      requirements.push(this.#requirement());
      if (this.#peek() === end) return requirements;
      if (this.#peek() !== ",") throw badRequest(this.#unexpected(", expected: ',' or 'end of string'"));
      this.#index += 1;
      if (this.#peek() === end || (this.#peek() !== "!" && symbols.has(this.#peek())))
        throw badRequest(this.#unexpected(", expected: identifier after ','"));
    }
  }

  #requirement(): LabelMatcher {
    const absent = this.#peek() === "!";
    if (absent) this.#index += 1;
    const key = this.#identifier();
    checkLabelKey(key);
    if (absent) return (labels) => labels[key] === undefined;
    if (this.#peek() === end || this.#peek() === ",") return (labels) => labels[key] !== undefined;
    return this.#comparison(key, this.#operator());
  }

  #comparison(key: string, operator: string): LabelMatcher {
    if (operator === "in" || operator === "notin") {
      const values = new Set(this.#list());
      [...values].forEach((value, index) => {
        checkLabelValue(key, value, index);
      });
      if (operator === "in") return (labels) => labels[key] !== undefined && values.has(labels[key]);
      return (labels) => labels[key] === undefined || !values.has(labels[key]);
    }
    const value = this.#value();
    if (operator === "<" || operator === ">") return compareOrder(key, operator, checkOrderBound(value));
    checkLabelValue(key, value, 0);
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }

  #operator(): string {
    const token = this.#peek();
    if (!["in", "notin", "=", "==", "!=", "<", ">"].includes(token))
      throw this.#malformed(`, expected: ${operators.join(", ")}`);
    this.#index += 1;
    return token;
  }

  /** `()` holds one empty value, as does a place between two commas. */
  #list(): string[] {
    if (this.#peek() !== "(") throw this.#malformed(" expected: '('");
    this.#index += 1;
    const values: string[] = [];
    for (;;) {
      values.push(symbols.has(this.#peek()) || this.#peek() === end ? "" : this.#identifier());
      const separator = this.#peek();
      if (separator !== "," && separator !== ")") throw this.#malformed(", expected: ',' or ')'");
      this.#index += 1;
      if (separator === ")") return values;
    }
  }

  #value(): string {
    return this.#peek() === end || this.#peek() === "," ? "" : this.#identifier();
  }

  #identifier(): string {
    const token = this.#peek();
    if (token === end || symbols.has(token)) throw this.#malformed(", expected: identifier");
    this.#index += 1;
    return token;
  }

  #peek(): string {
    return this.#tokens[this.#index] ?? end;
  }

  #malformed(expected: string): Error {
    return badRequest(`unable to parse requirement: ${this.#unexpected(expected)}`);
  }

  #unexpected(expected: string): string {
    return `found '${this.#peek()}'${expected}`;
  }
}

function compareOrder(key: string, operator: "<" | ">", bound: bigint): LabelMatcher {
  return (labels) => {
    const text = labels[key] ?? "";
    if (!/^[+-]?\d+$/.test(text)) return false;
    return operator === ">" ? BigInt(text) > bound : BigInt(text) < bound;
  };
}
