/**
 * ServiceAccount: a pod runs as an account that exists, the namespace's `default` where it names none, and unless the pod
 * or the account does not want it each container finds a token of the account, the server's certificate and the namespace.
 */
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { randomSuffix } from "../../operations/generate-name.ts";
import { subjectOf } from "../../registry/kind.ts";
import { forbidden } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";

const volumePrefix = "kube-api-access-";
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const mirrorAnnotation = "kubernetes.io/config.mirror";
/** What the server takes for a token that may be used for a year by who does not renew it. */
const tokenSeconds = 3607;

export const serviceAccount: AdmissionPlugin = {
  name: "ServiceAccount",
  mutate: (request, context) => {
    const { operation, kind, subresource, object: pod } = request;
    if (operation !== "CREATE" || kind.storage !== "pods" || subresource !== "" || pod === undefined) return;
    // The pod of a node's own file; the node holds no accounts.
    if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return refuseMirrorAccount(request, pod);
    const spec = specOf(pod);
    pod.spec = spec;
    const name = asString(spec.serviceAccountName) || "default";
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = findAccount(request, context, name);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
    if (asArray(spec.imagePullSecrets).length === 0 && asArray(account.imagePullSecrets).length > 0)
      spec.imagePullSecrets = asArray(account.imagePullSecrets).map((secret) => ({ name: asObject(secret).name }));
  },
};

function refuseMirrorAccount({ kind, name }: AdmissionRequest, pod: KubeObject): void {
  if (asString(specOf(pod).serviceAccountName) !== "")
    throw forbidden(subjectOf(kind), name, "a mirror pod may not reference service accounts");
}

function findAccount(request: AdmissionRequest, { store }: ApiContext, name: string): KubeObject {
  const stored = store.get("serviceaccounts", `${request.namespace}/${name}`);
  if (stored !== undefined) return stored.object;
  const why = `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
  throw forbidden(subjectOf(request.kind), request.name, why);
}

function mountToken(spec: JsonObject): void {
  const volumes = asArray(spec.volumes).map(asObject);
  const existing = volumes.find((volume) => asString(volume.name).startsWith(volumePrefix));
  const name = existing === undefined ? `${volumePrefix}${randomSuffix()}` : asString(existing.name);
  let mounted = false;
  for (const list of ["initContainers", "containers"]) {
    for (const container of asArray(spec[list]).map(asObject)) {
      const mounts = asArray(container.volumeMounts);
      if (mounts.some((mount) => asObject(mount).mountPath === mountPath)) continue;
      container.volumeMounts = [...mounts, { name, readOnly: true, mountPath }];
      mounted = true;
    }
  }
  if (mounted && existing === undefined) spec.volumes = [...volumes, { name, projected: tokenVolume() }];
}

function tokenVolume(): JsonObject {
  const fieldRef = { apiVersion: "v1", fieldPath: "metadata.namespace" };
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef }] } },
    ],
    defaultMode: 0o644,
  };
}
