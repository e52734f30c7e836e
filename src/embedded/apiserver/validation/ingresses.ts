/** Ingresses: rules, paths and their types, backends, TLS hosts. Pure. */
import { isIP } from "node:net";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../registry/names.ts";
import { eachItem, type Findings } from "./findings.ts";
import { checkPortName, checkPortNumber } from "./names.ts";

export function checkIngressSpec(spec: JsonObject, found: Findings): void {
  if (asArray(spec.rules).length === 0 && !isObject(spec.defaultBackend))
    found.invalid("spec", spec.rules ?? null, "either `defaultBackend` or `rules` must be specified");
  if (isObject(spec.defaultBackend)) checkBackend(spec.defaultBackend, "spec.defaultBackend", found);
  eachItem(spec.rules, "spec.rules", (rule, at) => checkRule(rule, at, found));
  eachItem(spec.tls, "spec.tls", (tls, at) => {
    for (const [index, host] of asArray(tls.hosts).map(asString).entries())
      found.holds(`${at}.hosts[${index}]`, host, checkHost);
    const secret = asString(tls.secretName);
    if (secret !== "") found.holds(`${at}.secretName`, secret, checkDnsSubdomain);
  });
  if (spec.ingressClassName !== undefined)
    found.holds("spec.ingressClassName", asString(spec.ingressClassName), checkDnsSubdomain);
}

const wildcard = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const wildcardWords =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function checkHost(host: string): string | undefined {
  if (!host.includes("*")) return checkDnsSubdomain(host);
  return wildcard.test(host) ? undefined : wildcardWords;
}

function checkRule(rule: JsonObject, path: string, found: Findings): void {
  const host = asString(rule.host);
  if (isIP(host) !== 0) found.invalid(`${path}.host`, host, "must be a DNS name, not an IP address");
  if (host !== "") found.holds(`${path}.host`, host, checkHost);
  if (!isObject(rule.http)) return;
  const paths = `${path}.http.paths`;
  if (asArray(rule.http.paths).length === 0) found.required(paths);
  eachItem(rule.http.paths, paths, (one, at) => checkPath(one, at, found));
}

const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badSuffixes = ["/..", "/."];

function checkPath(one: JsonObject, path: string, found: Findings): void {
  const text = asString(one.path);
  if (one.pathType === undefined) {
    found.required(`${path}.pathType`, "pathType must be specified");
    return;
  }
  found.optionalOneOf(`${path}.pathType`, one.pathType, ["Exact", "ImplementationSpecific", "Prefix"]);
  const isLiteral = one.pathType === "Exact" || one.pathType === "Prefix";
  if ((isLiteral || text !== "") && !text.startsWith("/"))
    found.invalid(`${path}.path`, text, "must be an absolute path");
  if (isLiteral) {
    for (const sequence of badSequences)
      if (text.includes(sequence)) found.invalid(`${path}.path`, text, `must not contain '${sequence}'`);
    for (const suffix of badSuffixes)
      if (text.endsWith(suffix)) found.invalid(`${path}.path`, text, `cannot end with '${suffix}'`);
  }
  checkBackend(asObject(one.backend), `${path}.backend`, found);
}

function checkBackend(backend: JsonObject, path: string, found: Findings): void {
  const { resource, service } = backend;
  if (isObject(resource) && isObject(service)) found.invalid(path, "", "cannot set both resource and service backends");
  else if (isObject(resource)) {
    for (const field of ["kind", "name"])
      if (asString(resource[field]) === "") found.required(`${path}.resource.${field}`);
  } else if (isObject(service)) checkServiceBackend(service, path, found);
  else found.invalid(path, "", "resource or service backend is required");
}

function checkServiceBackend(service: JsonObject, path: string, found: Findings): void {
  const name = asString(service.name);
  if (name === "") found.required(`${path}.service.name`);
  else found.holds(`${path}.service.name`, name, checkDnsLabel);
  const port = asObject(service.port);
  const portName = asString(port.name);
  const number = Number(port.number ?? 0);
  if (portName !== "" && number !== 0) found.invalid(path, "", "cannot set both port name & port number");
  else if (portName !== "") found.holds(`${path}.service.port.name`, portName, checkPortName);
  else if (number !== 0) found.holds(`${path}.service.port.number`, number, checkPortNumber);
  else found.required(path, "port name or number is required");
}
