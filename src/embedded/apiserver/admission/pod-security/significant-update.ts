/** Whether an update of a pod could change what it may do. Most fields of a pod never change; these can. Pure. */
import { asArray, asObject, deepEqual, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";

const lists = ["containers", "initContainers", "ephemeralContainers"];
const watchedAnnotations = /^(seccomp\.security\.alpha\.kubernetes\.io\/|container\.(seccomp|apparmor)\.)/;

export function isSignificantPodUpdate(pod: KubeObject, old: KubeObject): boolean {
  return !deepEqual(contentOf(pod), contentOf(old));
}

function contentOf(pod: KubeObject): JsonObject {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...spec } = specOf(pod);
  const content: JsonObject = { ...spec };
  for (const list of lists)
    content[list] = asArray(spec[list]).map((container) => {
      const { image: _image, resources: _resources, ...rest } = asObject(container);
      return rest;
    });
  const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(([key]) => watchedAnnotations.test(key));
  return { ...content, annotations: Object.fromEntries(annotations) };
}
