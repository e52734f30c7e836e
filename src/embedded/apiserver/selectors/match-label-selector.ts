/** LabelSelector objects (`matchLabels`, `matchExpressions`), as specs hold them. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";

type Labels = Readonly<Record<string, string>>;

/** An empty selector matches everything. */
export function matchesLabelSelector(selector: JsonObject, labels: Labels): boolean {
  const pairs = Object.entries(asObject(selector.matchLabels));
  if (!pairs.every(([key, value]) => labels[key] === value)) return false;
  return asArray(selector.matchExpressions).every((value) => matchesExpression(asObject(value), labels));
}

function matchesExpression(expression: JsonObject, labels: Labels): boolean {
  const value = labels[asString(expression.key)];
  const values = asArray(expression.values).map(asString);
  switch (expression.operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
