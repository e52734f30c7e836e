/** Label selectors as objects (`matchLabels`, `matchExpressions`): validation, and matching against labels. Pure. */
import { asArray, asObject, asString } from "../json-value.ts";
import { checkLabelValue } from "../registry/names.ts";
import { validateLabels } from "../registry/validate-metadata.ts";
import { eachItem, type Findings } from "./findings.ts";

type Labels = Readonly<Record<string, string>>;

export function checkLabelSelector(selector: unknown, path: string, found: Findings): void {
  const { matchLabels, matchExpressions } = asObject(selector);
  found.add(...validateLabels(asObject(matchLabels) as Labels, `${path}.matchLabels`));
  eachItem(matchExpressions, `${path}.matchExpressions`, (expression, at) => {
    const values = asArray(expression.values);
    if (expression.operator === "In" || expression.operator === "NotIn") {
      if (values.length === 0) found.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (expression.operator === "Exists" || expression.operator === "DoesNotExist") {
      if (values.length > 0)
        found.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else found.invalid(`${at}.operator`, asString(expression.operator), "not a valid selector operator");
    found.qualifiedName(`${at}.key`, asString(expression.key));
    for (const [index, value] of values.entries())
      found.holds(`${at}.values[${index}]`, asString(value), checkLabelValue);
  });
}

export function isEmptySelector(selector: unknown): boolean {
  const { matchLabels, matchExpressions } = asObject(selector);
  return Object.keys(asObject(matchLabels)).length === 0 && asArray(matchExpressions).length === 0;
}

export function selectorMatches(selector: unknown, labels: Labels): boolean {
  const { matchLabels, matchExpressions } = asObject(selector);
  const equal = Object.entries(asObject(matchLabels)).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    asArray(matchExpressions)
      .map(asObject)
      .every((expression) => expressionHolds(expression, labels))
  );
}

function expressionHolds(expression: Readonly<Record<string, unknown>>, labels: Labels): boolean {
  const value = labels[asString(expression.key)];
  const values = asArray(expression.values);
  if (expression.operator === "In") return value !== undefined && values.includes(value);
  if (expression.operator === "NotIn") return value === undefined || !values.includes(value);
  return expression.operator === "Exists" ? value !== undefined : value === undefined;
}
