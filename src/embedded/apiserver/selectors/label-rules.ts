/** What a label's key and value may be in a selector. Throws the 400 that Kubernetes answers. Pure. */
import { badRequest } from "../status.ts";

const namePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxNameLength = 63;
const maxPrefixLength = 253;

const nameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

export function checkLabelKey(key: string): void {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const prefix = parts.length > 1 ? parts[0] : undefined;
  if (parts.length > 2) throw refuse("<nil>", key, "a valid label key has at most one '/'");
  if (prefix !== undefined && (!prefixPattern.test(prefix) || prefix.length > maxPrefixLength))
    throw refuse("<nil>", key, "prefix part must be a lowercase RFC 1123 subdomain");
  if (name.length > maxNameLength)
    throw refuse("<nil>", key, `name part must be no more than ${maxNameLength} characters`);
  if (!namePattern.test(name)) throw refuse("<nil>", key, nameRule);
}

export function checkLabelValue(key: string, value: string, index: number): void {
  const field = `values[${index}][${key}]`;
  if (value.length > maxNameLength) throw refuse(field, value, `must be no more than ${maxNameLength} characters`);
  if (value !== "" && !namePattern.test(value)) throw refuse(field, value, valueRule);
}

export function checkOrderBound(value: string): bigint {
  if (/^[+-]?\d+$/.test(value)) return BigInt(value);
  throw refuse("values[0]", value, "for 'Gt', 'Lt' operators, the value must be an integer");
}

function refuse(field: string, value: string, why: string): Error {
  return badRequest(`unable to parse requirement: ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
}
