/** Pod rules that clients notice: required fields, unique names, known volumes, and a spec that stays as it is. Pure. */
import { asArray, asObject, asString, cloneJson, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";

export function validatePod(pod: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const findings = validatePodSpec(specOf(pod), "spec");
  return old === undefined ? findings : [...findings, ...validatePodUpdate(pod, old)];
}

const restartPolicies = ["Always", "OnFailure", "Never"];

export function validatePodSpec(spec: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const containers = asArray(spec.containers);
  if (containers.length === 0) findings.push(cause.required(`${path}.containers`));
  if (!restartPolicies.includes(asString(spec.restartPolicy))) {
    findings.push(cause.unsupported(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies));
  }
  const volumes = new Set(asArray(spec.volumes).map((volume) => asString(asObject(volume).name)));
  const names = new Set<string>();
  for (const list of ["initContainers", "containers"]) {
    for (const [index, item] of asArray(spec[list]).entries()) {
      const place = { path: `${path}.${list}[${index}]`, names, volumes };
      findings.push(...validateContainer(asObject(item), place));
    }
  }
  findings.push(...validateVolumes(spec, path));
  return findings;
}

function validateVolumes(spec: JsonObject, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  const seen = new Set<string>();
  for (const [index, item] of asArray(spec.volumes).entries()) {
    const name = asString(asObject(item).name);
    const field = `${path}.volumes[${index}].name`;
    if (name === "") findings.push(cause.required(field));
    else if (seen.has(name)) findings.push(cause.duplicate(field, name));
    seen.add(name);
  }
  return findings;
}

interface ContainerPlace {
  readonly path: string;
  readonly names: Set<string>;
  readonly volumes: ReadonlySet<string>;
}

const pullPolicies = ["Always", "IfNotPresent", "Never"];

function validateContainer(container: JsonObject, place: ContainerPlace): StatusCause[] {
  const findings: StatusCause[] = [];
  const { path } = place;
  const name = asString(container.name);
  const problem = name === "" ? undefined : checkDnsLabel(name);
  if (name === "") findings.push(cause.required(`${path}.name`));
  else if (problem !== undefined) findings.push(cause.invalid(`${path}.name`, name, problem));
  else if (place.names.has(name)) findings.push(cause.duplicate(`${path}.name`, name));
  place.names.add(name);
  if (asString(container.image) === "") findings.push(cause.required(`${path}.image`));
  if (!pullPolicies.includes(asString(container.imagePullPolicy))) {
    findings.push(cause.unsupported(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies));
  }
  for (const [index, item] of asArray(container.volumeMounts).entries()) {
    const mount = asObject(item);
    const field = `${path}.volumeMounts[${index}]`;
    if (!place.volumes.has(asString(mount.name)))
      findings.push({
        reason: "FieldValueNotFound",
        message: `Not found: ${JSON.stringify(mount.name ?? "")}`,
        field: `${field}.name`,
      });
    if (asString(mount.mountPath) === "") findings.push(cause.required(`${field}.mountPath`));
  }
  for (const [index, item] of asArray(container.env).entries()) {
    if (asString(asObject(item).name) === "") findings.push(cause.required(`${path}.env[${index}].name`));
  }
  return findings;
}

/** Of a pod's spec only images, deadlines, added tolerations and the removal of gates may change. */
function validatePodUpdate(pod: KubeObject, old: KubeObject): StatusCause[] {
  const before = mutableBlanked(specOf(old));
  const after = mutableBlanked(specOf(pod));
  if (deepEqual(before, after) && keepsTolerations(specOf(pod), specOf(old))) return [];
  const allowed =
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
  return [cause.forbidden("spec", `pod updates may not change fields other than ${allowed}`)];
}

function mutableBlanked(spec: JsonObject): JsonObject {
  const copy = cloneJson(spec);
  for (const field of ["activeDeadlineSeconds", "tolerations", "schedulingGates"]) delete copy[field];
  for (const list of ["containers", "initContainers", "ephemeralContainers"]) {
    for (const container of asArray(copy[list])) if (isObject(container)) delete container.image;
  }
  return copy;
}

function keepsTolerations(spec: JsonObject, old: JsonObject): boolean {
  const now = asArray(spec.tolerations);
  return asArray(old.tolerations).every((toleration) => now.some((one) => deepEqual(one, toleration)));
}
