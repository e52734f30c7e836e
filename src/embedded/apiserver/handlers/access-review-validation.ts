/** What an access review must say. Findings are in the words of a Kubernetes API server. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";

export interface AccessReview {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

export function checkAccessReview({ kind, namespace, metadata, spec }: AccessReview): StatusCause[] {
  const findings = [...checkAttributes(spec), ...(kind === "SelfSubjectAccessReview" ? [] : checkSubject(spec))];
  const resource = isObject(spec.resourceAttributes) ? spec.resourceAttributes : undefined;
  if (resource !== undefined)
    for (const name of ["fieldSelector", "labelSelector"]) findings.push(...checkSelector(resource[name], name));
  findings.push(...checkMetadata(metadata, namespace));
  if (kind !== "LocalSubjectAccessReview") return findings;
  if (resource !== undefined && asString(resource.namespace) !== namespace) {
    const field = "spec.resourceAttributes.namespace";
    findings.push(cause.invalid(field, asString(resource.namespace), "must match metadata.namespace"));
  }
  if (isObject(spec.nonResourceAttributes))
    findings.push(
      cause.invalid("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request"),
    );
  return findings;
}

function checkAttributes(spec: JsonObject): StatusCause[] {
  const both = isObject(spec.resourceAttributes) && isObject(spec.nonResourceAttributes);
  if (both) {
    const why = "cannot be specified in combination with resourceAttributes";
    return [cause.invalid("spec.nonResourceAttributes", spec.nonResourceAttributes, why)];
  }
  if (isObject(spec.resourceAttributes) || isObject(spec.nonResourceAttributes)) return [];
  const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [cause.invalid("spec.resourceAttributes", null, why)];
}

function checkSubject(spec: JsonObject): StatusCause[] {
  if (asString(spec.user) !== "" || asArray(spec.groups).length > 0) return [];
  return [cause.invalid("spec.user", "", "at least one of user or group must be specified")];
}

function checkMetadata(metadata: JsonObject, namespace: string | undefined): StatusCause[] {
  const ignored = ["managedFields", "creationTimestamp", ...(namespace === undefined ? [] : ["namespace"])];
  if (Object.keys(metadata).every((name) => ignored.includes(name))) return [];
  return [
    cause.invalid(
      "metadata",
      metadata,
      namespace === undefined ? "must be empty" : "must be empty except for namespace",
    ),
  ];
}

function checkSelector(value: unknown, name: string): StatusCause[] {
  if (!isObject(value)) return [];
  const field = `spec.resourceAttributes.${name}`;
  const raw = asString(value.rawSelector);
  const requirements = asArray(value.requirements).map(asObject);
  if (raw !== "" && requirements.length > 0)
    return [cause.invalid(`${field}.rawSelector`, raw, "may not specified at the same time as requirements")];
  if (raw === "" && requirements.length === 0) {
    const why = `when ${field} is specified, requirements or rawSelector is required`;
    return [cause.required(`${field}.requirements`, why)];
  }
  return requirements.flatMap((requirement, index) => checkRequirement(requirement, `${field}.requirements[${index}]`));
}

function checkRequirement(requirement: JsonObject, field: string): StatusCause[] {
  const values = asArray(requirement.values).length;
  const operator = asString(requirement.operator);
  const findings: StatusCause[] = [];
  if ((operator === "In" || operator === "NotIn") && values === 0)
    findings.push(cause.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  if ((operator === "Exists" || operator === "DoesNotExist") && values > 0)
    findings.push(
      cause.forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
    );
  if (asString(requirement.key) === "") findings.push(cause.required(`${field}.key`, "must be specified"));
  return findings;
}
