/** Strategy of APIServices: named after what they serve, local or by a service. */
import { asObject, asString, isObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsSubdomain } from "../registry/names.ts";
import type { StatusCause } from "../status.ts";
import { Findings } from "../validation/findings.ts";

const highestGroupPriority = 20_000;
const highestVersionPriority = 1_000;

export const apiServiceStrategy: Strategy = {
  // The core group's is "v1.", which is no DNS name.
  checkName: () => undefined,
  prepareCreate: (service) => {
    service.status = {};
  },
  validate: (service, _old, subresource) => (subresource === "status" ? [] : validateService(service)),
};

function validateService(service: KubeObject): StatusCause[] {
  const spec = specOf(service);
  const [group, version] = [asString(spec.group), asString(spec.version)];
  const found = new Findings();
  const name = `${version}.${group}`;
  if (service.metadata.name !== name)
    found.invalid("metadata.name", service.metadata.name, `must be \`spec.version+"."+spec.group\`: "${name}"`);
  if (group === "" && version !== "v1")
    found.required("spec.group", "only v1 may have an empty group and it better be legacy kube");
  const why = group === "" ? undefined : checkDnsSubdomain(group);
  if (why !== undefined) found.invalid("spec.group", group, why);
  checkPriority(found, "groupPriorityMinimum", spec.groupPriorityMinimum, highestGroupPriority);
  checkPriority(found, "versionPriority", spec.versionPriority, highestVersionPriority);
  if (isObject(spec.service)) {
    for (const field of ["namespace", "name"])
      if (asString(asObject(spec.service)[field]) === "") found.required(`spec.service.${field}`);
    if (spec.insecureSkipTLSVerify === true && asString(spec.caBundle) !== "")
      found.invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present");
    return found.list;
  }
  if (spec.insecureSkipTLSVerify === true)
    found.invalid("spec.insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify");
  return found.list;
}

function checkPriority(found: Findings, field: string, value: unknown, highest: number): void {
  const priority = Number(value ?? 0);
  if (priority > 0 && priority <= highest) return;
  found.invalid(`spec.${field}`, priority, `must be positive and less than ${highest}`);
}
