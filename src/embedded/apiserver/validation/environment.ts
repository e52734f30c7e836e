/** Environment variables of containers and where their values come from; references to fields of the pod. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsSubdomain } from "../registry/names.ts";
import { eachItem, type Findings } from "./findings.ts";
import { checkConfigKey, checkUnreservedPath, checkVariableName } from "./names.ts";

export const environmentFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** Fields that files of a downwardAPI volume may show. */
export const fileFields = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const containerResources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const oneSource =
  "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";

export function checkEnvironment(variables: unknown, path: string, found: Findings): void {
  eachItem(variables, path, (variable, at) => {
    const name = asString(variable.name);
    if (name === "") found.required(`${at}.name`);
    else found.holds(`${at}.name`, name, checkVariableName);
    if (isObject(variable.valueFrom)) checkSource(variable, variable.valueFrom, `${at}.valueFrom`, found);
  });
}

function checkSource(variable: JsonObject, source: JsonObject, path: string, found: Findings): void {
  const given = Object.keys(source).filter((name) => isObject(source[name]));
  if (isObject(source.fieldRef)) checkFieldRef(source.fieldRef, environmentFields, `${path}.fieldRef`, found);
  if (isObject(source.resourceFieldRef))
    checkResourceFieldRef(source.resourceFieldRef, `${path}.resourceFieldRef`, found);
  for (const name of ["configMapKeyRef", "secretKeyRef"]) {
    if (isObject(source[name])) checkKeyRef(source[name], `${path}.${name}`, found);
  }
  if (isObject(source.fileKeyRef)) checkFileKeyRef(source.fileKeyRef, `${path}.fileKeyRef`, found);
  if (given.length === 0) found.invalid(path, "", oneSource);
  else if (asString(variable.value) !== "") found.invalid(path, "", "may not be specified when `value` is not empty");
  else if (given.length > 1) found.invalid(path, "", "may not have more than one field specified at a time");
}

function checkKeyRef(reference: JsonObject, path: string, found: Findings): void {
  const key = asString(reference.key);
  if (asString(reference.name) === "") found.required(`${path}.name`);
  if (key === "") found.required(`${path}.key`);
  else found.holds(`${path}.key`, key, checkConfigKey);
}

function checkFileKeyRef(reference: JsonObject, path: string, found: Findings): void {
  for (const field of ["volumeName", "path", "key"]) {
    if (asString(reference[field]) === "") found.required(`${path}.${field}`);
  }
  found.holds(`${path}.path`, asString(reference.path), checkUnreservedPath);
}

export function checkFieldRef(reference: JsonObject, fields: readonly string[], path: string, found: Findings): void {
  const fieldPath = asString(reference.fieldPath);
  if (fieldPath === "") {
    found.required(`${path}.fieldPath`);
    return;
  }
  const [, base = fieldPath, subscript] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? [];
  const known = [...environmentFields, ...fileFields, "spec.restartPolicy", "spec.schedulerName", "status.phase"];
  if (!known.includes(base)) {
    const why = `error converting fieldPath: field label not supported: ${fieldPath}`;
    found.invalid(`${path}.fieldPath`, fieldPath, why);
    return;
  }
  if (subscript === undefined) {
    found.optionalOneOf(`${path}.fieldPath`, fieldPath, fields);
    return;
  }
  if (base === "metadata.annotations") found.qualifiedName(path, subscript.toLowerCase());
  else if (base === "metadata.labels") found.qualifiedName(path, subscript);
  else found.invalid(path, base, "does not support subscript");
}

export function checkResourceFieldRef(reference: JsonObject, path: string, found: Findings): void {
  const resource = asString(reference.resource);
  if (resource === "") found.required(`${path}.resource`);
  else if (!/^(limits|requests)\.hugepages-/.test(resource))
    found.optionalOneOf(`${path}.resource`, resource, containerResources);
}

export function checkEnvironmentFrom(sources: unknown, path: string, found: Findings): void {
  eachItem(sources, path, (source, at) => {
    if (asString(source.prefix) !== "") found.holds(`${at}.prefix`, asString(source.prefix), checkVariableName);
    const given = ["configMapRef", "secretRef"].filter((name) => isObject(source[name]));
    for (const name of given) {
      const target = asString(asObject(source[name]).name);
      if (target === "") found.required(`${at}.${name}.name`);
      else found.holds(`${at}.${name}.name`, target, checkDnsSubdomain);
    }
    if (given.length === 0) found.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    else if (given.length > 1) found.invalid(path, "", "may not have more than one field specified at a time");
  });
}

export const namesOf = (list: unknown) => asArray(list).map((item) => asString(asObject(item).name));
