/**
 * Which model describes which built-in kind: "group/version/Kind" (core is the empty group) to the class name in the
 * client library. Read by the schema generator and by the registry.
 */
export const builtinKindModels: Readonly<Record<string, string>> = {
  "/v1/Namespace": "V1Namespace",
  "/v1/Node": "V1Node",
  "/v1/Pod": "V1Pod",
  "/v1/ConfigMap": "V1ConfigMap",
  "/v1/Secret": "V1Secret",
  "/v1/ServiceAccount": "V1ServiceAccount",
  "/v1/Service": "V1Service",
  "/v1/Endpoints": "V1Endpoints",
  "/v1/Event": "CoreV1Event",
  "events.k8s.io/v1/Event": "EventsV1Event",
  "coordination.k8s.io/v1/Lease": "V1Lease",
  "discovery.k8s.io/v1/EndpointSlice": "V1EndpointSlice",
  "scheduling.k8s.io/v1/PriorityClass": "V1PriorityClass",
  "rbac.authorization.k8s.io/v1/Role": "V1Role",
  "rbac.authorization.k8s.io/v1/RoleBinding": "V1RoleBinding",
  "rbac.authorization.k8s.io/v1/ClusterRole": "V1ClusterRole",
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": "V1ClusterRoleBinding",
  "apiextensions.k8s.io/v1/CustomResourceDefinition": "V1CustomResourceDefinition",
  "apps/v1/Deployment": "V1Deployment",
  "apps/v1/ReplicaSet": "V1ReplicaSet",
  "apps/v1/DaemonSet": "V1DaemonSet",
  "apps/v1/StatefulSet": "V1StatefulSet",
  "batch/v1/Job": "V1Job",
  "policy/v1/PodDisruptionBudget": "V1PodDisruptionBudget",
  "networking.k8s.io/v1/NetworkPolicy": "V1NetworkPolicy",
};
