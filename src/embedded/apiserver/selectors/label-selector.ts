/** Label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Parsing throws a 400; matching is pure. */
import { badRequest } from "../status.ts";

type Labels = Readonly<Record<string, string>>;
export type LabelMatcher = (labels: Labels) => boolean;

export function parseLabelSelector(text: string): LabelMatcher | undefined {
  if (text.trim() === "") return undefined;
  const requirements = splitRequirements(text).map(parseRequirement);
  return (labels) => requirements.every((holds) => holds(labels));
}

/** Splits at commas outside of parentheses. */
function splitRequirements(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

const key = "([A-Za-z0-9][-A-Za-z0-9_./]*)";
const setForm = new RegExp(`^${key}\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const compareForm = new RegExp(`^${key}\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)$`);
const orderForm = new RegExp(`^${key}\\s*([<>])\\s*(-?\\d+)$`);
const existsForm = new RegExp(`^(!?)\\s*${key}$`);

function parseRequirement(text: string): LabelMatcher {
  return parseSet(text) ?? parseCompare(text) ?? parseOrder(text) ?? parseExists(text) ?? fail(text);
}

function parseSet(text: string): LabelMatcher | undefined {
  const [, name = "", operator, list = ""] = setForm.exec(text) ?? [];
  if (operator === undefined) return undefined;
  const values = new Set(list.split(",").map((value) => value.trim()));
  if (operator === "in") return (labels) => labels[name] !== undefined && values.has(labels[name]);
  return (labels) => labels[name] === undefined || !values.has(labels[name]);
}

function parseCompare(text: string): LabelMatcher | undefined {
  const [, name = "", operator, value = ""] = compareForm.exec(text) ?? [];
  if (operator === undefined) return undefined;
  return operator === "!=" ? (labels) => labels[name] !== value : (labels) => labels[name] === value;
}

function parseOrder(text: string): LabelMatcher | undefined {
  const [, name = "", operator, bound = ""] = orderForm.exec(text) ?? [];
  if (operator === undefined) return undefined;
  const limit = Number(bound);
  return (labels) => {
    const value = Number(labels[name] ?? Number.NaN);
    return operator === ">" ? value > limit : value < limit;
  };
}

function parseExists(text: string): LabelMatcher | undefined {
  const [, negation, name] = existsForm.exec(text) ?? [];
  if (name === undefined) return undefined;
  return negation === "!" ? (labels) => labels[name] === undefined : (labels) => labels[name] !== undefined;
}

function fail(text: string): never {
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)} is not a valid label selector`);
}
