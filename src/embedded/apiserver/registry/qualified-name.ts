/** Keys of labels and annotations, and finalizers: `prefix/name`, where the prefix is a DNS subdomain. Pure. */
import { checkDnsSubdomain } from "./names.ts";

const namePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const maxNameBytes = 63;
const nameRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** Every complaint on its own, in Kubernetes' words; empty for a good name. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split("/");
  const [prefix = "", name = ""] = parts.length === 1 ? ["", value] : parts;
  if (parts.length > 2)
    return [`a valid label key ${nameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  return [...(parts.length === 2 ? prefixProblems(prefix) : []), ...nameProblems(name)];
}

function prefixProblems(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const problem = checkDnsSubdomain(prefix);
  return problem === undefined ? [] : [`prefix part ${problem}`];
}

function nameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name === "") problems.push("name part must be non-empty");
  else if (Buffer.byteLength(name) > maxNameBytes)
    problems.push(`name part must be no more than ${maxNameBytes} bytes`);
  if (!namePattern.test(name)) problems.push(`name part ${nameRule}`);
  return problems;
}
