/** Nothing is created in a namespace that is missing or ends, and the namespaces that the system needs stay. */
import { subjectOf } from "../../registry/kind.ts";
import { failure, forbidden, notFound, qualified } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  mutate: (request, { store }) => {
    const { operation, kind, namespace, name } = request;
    if (operation === "DELETE" && kind.storage === "namespaces" && immortal.has(name))
      throw forbidden(subjectOf(kind), name, "this namespace may not be deleted");
    if (operation === "DELETE" || !kind.namespaced) return;
    const stored = store.get("namespaces", namespace)?.object;
    if (stored === undefined) throw notFound({ resource: "namespaces", group: "" }, namespace);
    if (operation === "CREATE" && stored.metadata.deletionTimestamp !== undefined) throw terminating(request);
  },
};

function terminating({ kind, namespace, name }: AdmissionRequest): Error {
  const subject = subjectOf(kind);
  const message = `${qualified(subject)} ${JSON.stringify(name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  const group = kind.group === "" ? {} : { group: kind.group };
  const details = { ...(name !== "" && { name }), ...group, kind: kind.plural, causes: [cause] };
  return failure(403, "Forbidden", message, details);
}
