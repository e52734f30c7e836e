/** Priority: a pod's priority is that of its class, or of the class that is the default. At most one class is the default. */
import { asString } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { subjectOf } from "../../registry/kind.ts";
import { forbidden } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";

const classes = "priorityclasses.scheduling.k8s.io";

export const priority: AdmissionPlugin = {
  name: "Priority",
  mutate: (request, context) => {
    const { operation, kind, subresource, object, old } = request;
    if (kind.storage !== "pods" || subresource !== "" || object === undefined) return;
    if (operation === "CREATE") resolvePriority(request, context, object);
    else if (old !== undefined) keepPriority(object, old);
  },
  validate: (request, context) => {
    const { kind, object } = request;
    if (kind.storage !== classes || object?.globalDefault !== true) return;
    const other = findDefault(context);
    if (other === undefined || other.metadata.name === object.metadata.name) return;
    const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
    throw forbidden(subjectOf(kind), request.name, why);
  },
};

function findDefault({ store }: ApiContext): KubeObject | undefined {
  const defaults = store
    .list(classes)
    .items.map((item) => item.object)
    .filter((one) => one.globalDefault === true);
  return defaults.sort((a, b) => Number(a.value) - Number(b.value))[0];
}

function resolvePriority(request: AdmissionRequest, context: ApiContext, pod: KubeObject): void {
  const spec = specOf(pod);
  const name = asString(spec.priorityClassName);
  const found = name === "" ? findDefault(context) : context.store.get(classes, name)?.object;
  const refuse = (why: string) => forbidden(subjectOf(request.kind), request.name, why);
  if (name !== "" && found === undefined) throw refuse(`no PriorityClass with name ${name} was found`);
  if (found !== undefined) spec.priorityClassName = found.metadata.name;
  const value = Number(found?.value ?? 0);
  if (spec.priority !== undefined && spec.priority !== value) {
    const given = `the integer value of priority (${String(spec.priority)}) must not be provided in pod spec`;
    throw refuse(`${given}; priority admission controller computed ${value} from the given PriorityClass name`);
  }
  spec.priority = value;
  const policy = asString(found?.preemptionPolicy) || "PreemptLowerPriority";
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const given = `the string value of PreemptionPolicy (${String(spec.preemptionPolicy)}) must not be provided in pod spec`;
    throw refuse(`${given}; priority admission controller computed ${policy} from the given PriorityClass name`);
  }
  spec.preemptionPolicy = policy;
}

/** A client that knows nothing of priorities does not take them away. */
function keepPriority(pod: KubeObject, old: KubeObject): void {
  for (const field of ["priority", "preemptionPolicy"]) {
    if (specOf(pod)[field] === undefined && specOf(old)[field] !== undefined) specOf(pod)[field] = specOf(old)[field];
  }
}
