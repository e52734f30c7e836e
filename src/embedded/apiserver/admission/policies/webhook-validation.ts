/** Validation of one admission webhook of a configuration. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";
import { checkDnsSubdomain } from "../../registry/names.ts";
import { cause, type StatusCause } from "../../status.ts";
import { checkClientConfig } from "../webhook-client-config.ts";
import { checkLabelSelector, checkRule } from "./match-validation.ts";
import { checkMatchConditions } from "./policy-validation.ts";

const choices: Readonly<Record<string, readonly string[]>> = {
  failurePolicy: ["Fail", "Ignore"],
  matchPolicy: ["Equivalent", "Exact"],
  sideEffects: ["None", "NoneOnDryRun"],
};
const reviewVersions = ["v1", "v1beta1"];
const maxTimeoutSeconds = 30;
const leastNameParts = 3;

export function checkWebhook(webhook: JsonObject, path: string): StatusCause[] {
  const findings = checkName(asString(webhook.name), `${path}.name`);
  for (const [index, rule] of asArray(webhook.rules).entries())
    findings.push(...checkRule(asObject(rule), `${path}.rules[${index}]`));
  for (const [field, supported] of Object.entries(choices)) {
    const value = asString(webhook[field]);
    if (value === "" && field === "sideEffects")
      findings.push(cause.required(`${path}.${field}`, "must specify one of None, NoneOnDryRun"));
    else if (!supported.includes(value)) findings.push(cause.unsupported(`${path}.${field}`, value, supported));
  }
  const timeout = webhook.timeoutSeconds;
  if (typeof timeout === "number" && (timeout > maxTimeoutSeconds || timeout < 1)) {
    const detail = "the timeout value must be between 1 and 30 seconds";
    findings.push(cause.invalid(`${path}.timeoutSeconds`, timeout, detail));
  }
  for (const field of ["namespaceSelector", "objectSelector"])
    findings.push(...checkLabelSelector(asObject(webhook[field]), `${path}.${field}`));
  findings.push(...checkReviewVersions(asArray(webhook.admissionReviewVersions).map(asString), path));
  findings.push(...checkClientConfig(asObject(webhook.clientConfig), `${path}.clientConfig`));
  return [...findings, ...checkMatchConditions(asArray(webhook.matchConditions), `${path}.matchConditions`)];
}

function checkName(name: string, path: string): StatusCause[] {
  if (name === "") return [cause.required(path)];
  const problem = checkDnsSubdomain(name);
  if (problem !== undefined) return [cause.invalid(path, name, problem)];
  if (name.split(".").length >= leastNameParts) return [];
  return [cause.invalid(path, name, "should be a domain with at least three segments separated by dots")];
}

function checkReviewVersions(versions: readonly string[], path: string): StatusCause[] {
  const where = `${path}.admissionReviewVersions`;
  if (versions.length === 0) return [cause.required(where, `must specify one of ${reviewVersions.join(", ")}`)];
  if (versions.some((version) => reviewVersions.includes(version))) return [];
  return [cause.invalid(where, versions, `must include at least one of ${reviewVersions.join(", ")}`)];
}
