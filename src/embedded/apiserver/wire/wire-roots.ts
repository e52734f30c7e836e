/** The messages that clients may send as protobuf: "apiVersion/Kind" to the Go type. */
const apis: Readonly<Record<string, readonly string[]>> = {
  "core/v1": [
    "Namespace",
    "Node",
    "Pod",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "Service",
    "Endpoints",
    "Event",
    "Binding",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ReplicationController",
    "LimitRange",
    "ResourceQuota",
    "PodTemplate",
  ],
  "apps/v1": ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "ControllerRevision"],
  "batch/v1": ["Job", "CronJob"],
  "coordination/v1": ["Lease"],
  "discovery/v1": ["EndpointSlice"],
  "events/v1": ["Event"],
  "policy/v1": ["PodDisruptionBudget", "Eviction"],
  "rbac/v1": ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
  "scheduling/v1": ["PriorityClass"],
  "networking/v1": ["NetworkPolicy", "Ingress", "IngressClass", "IPAddress", "ServiceCIDR"],
  "node/v1": ["RuntimeClass"],
  "storage/v1": [
    "StorageClass",
    "CSIDriver",
    "CSINode",
    "VolumeAttachment",
    "CSIStorageCapacity",
    "VolumeAttributesClass",
  ],
  "admissionregistration/v1": [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
  ],
  "certificates/v1": ["CertificateSigningRequest"],
  "resource/v1": ["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"],
  "flowcontrol/v1": ["FlowSchema", "PriorityLevelConfiguration"],
  "authentication/v1": ["TokenRequest", "TokenReview", "SelfSubjectReview"],
  "authorization/v1": [
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
    "SubjectAccessReview",
    "LocalSubjectAccessReview",
  ],
  "autoscaling/v1": ["Scale", "HorizontalPodAutoscaler"],
  "autoscaling/v2": ["HorizontalPodAutoscaler"],
};

const groups: Readonly<Record<string, string>> = {
  core: "",
  coordination: "coordination.k8s.io",
  discovery: "discovery.k8s.io",
  events: "events.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  scheduling: "scheduling.k8s.io",
  networking: "networking.k8s.io",
  authentication: "authentication.k8s.io",
  authorization: "authorization.k8s.io",
  node: "node.k8s.io",
  storage: "storage.k8s.io",
  admissionregistration: "admissionregistration.k8s.io",
  certificates: "certificates.k8s.io",
  resource: "resource.k8s.io",
  flowcontrol: "flowcontrol.apiserver.k8s.io",
};

/** DeleteOptions come under the group version of what they delete. */
export const deleteOptionsMessage = "k8s.io/apimachinery/pkg/apis/meta/v1.DeleteOptions";

export const wireRoots: Readonly<Record<string, string>> = {
  "v1/DeleteOptions": deleteOptionsMessage,
  "apiregistration.k8s.io/v1/APIService": "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1.APIService",
  ...Object.fromEntries(
    Object.entries(apis).flatMap(([path, kinds]) =>
      kinds.map((kind) => [rootId(path, kind), `k8s.io/api/${path}.${kind}`]),
    ),
  ),
};

function rootId(path: string, kind: string): string {
  const [folder = "", version = ""] = path.split("/");
  const group = groups[folder] ?? folder;
  return `${group === "" ? version : `${group}/${version}`}/${kind}`;
}
