/** Cluster roles of the controllers; each is bound to the service account of its name in kube-system. */
export const controllerRoles = `
system:controller:attachdetach-controller
  list watch | core | persistentvolumes persistentvolumeclaims
  get list watch | core | nodes
  patch update | core | nodes/status
  list watch | core | pods
  events
  get create delete list watch | storage.k8s.io | volumeattachments
  get watch list | storage.k8s.io | csidrivers
  get watch list | storage.k8s.io | csinodes
system:controller:clusterrole-aggregation-controller
  escalate get list watch update patch | rbac.authorization.k8s.io | clusterroles
system:controller:cronjob-controller
  get list watch update | batch | cronjobs
  get list watch create update delete patch | batch | jobs
  update | batch | cronjobs/status
  update | batch | cronjobs/finalizers
  list watch delete | core | pods
  events
system:controller:daemon-set-controller
  get list watch | extensions apps | daemonsets
  update | extensions apps | daemonsets/status
  update | extensions apps | daemonsets/finalizers
  list watch | core | nodes
  list watch create delete patch | core | pods
  create | core | pods/binding
  get list watch create delete update patch | apps | controllerrevisions
  events
system:controller:deployment-controller
  get list watch update | extensions apps | deployments
  update | extensions apps | deployments/status
  update | extensions apps | deployments/finalizers
  get list watch create update patch delete | apps extensions | replicasets
  get list watch update | core | pods
  events
system:controller:disruption-controller
  get list watch | extensions apps | deployments
  get list watch | apps extensions | replicasets
  get list watch | core | replicationcontrollers
  get list watch | policy | poddisruptionbudgets
  get list watch | apps | statefulsets
  update | policy | poddisruptionbudgets/status
  patch update | core | pods/status
  get | * | */scale
  events
system:controller:endpoint-controller
  get list watch | core | services pods
  get list watch create update delete | core | endpoints
  create | core | endpoints/restricted
  events
system:controller:endpointslice-controller
  get list watch | core | services pods nodes
  update | core | services/finalizers
  get list watch create update delete | discovery.k8s.io | endpointslices
  create | discovery.k8s.io | endpointslices/restricted
  events
system:controller:endpointslicemirroring-controller
  get list watch | core | services endpoints
  update | core | services/finalizers
  update | core | endpoints/finalizers
  get list watch create update delete | discovery.k8s.io | endpointslices
  create | discovery.k8s.io | endpointslices/restricted
  events
system:controller:expand-controller
  get list watch update patch | core | persistentvolumes
  update patch | core | persistentvolumeclaims/status
  get list watch | core | persistentvolumeclaims
  events
system:controller:ephemeral-volume-controller
  get list watch | core | pods
  update | core | pods/finalizers
  get list watch create | core | persistentvolumeclaims
  events
  get list watch | core | pods
  update | core | pods/finalizers
  get list watch create delete | resource.k8s.io | resourceclaims
  update patch | resource.k8s.io | resourceclaims resourceclaims/status
  update patch | core | pods/status
  events
  update patch | resource.k8s.io | resourceclaims/binding
system:controller:resource-claim-controller
  get list watch delete | core | pods
  update patch | core | pods/status
  get list watch | resource.k8s.io | resourceclaims
  get list watch | resource.k8s.io | resourceslices
  get list watch | resource.k8s.io | deviceclasses
  events
system:controller:device-taint-eviction-controller
system:controller:generic-garbage-collector
  get list watch patch update delete | * | *
  events
system:controller:horizontal-pod-autoscaler
  get list watch | autoscaling | horizontalpodautoscalers
  update | autoscaling | horizontalpodautoscalers/status
  get update | * | */scale
  list watch | core | pods
  list watch | metrics.k8s.io | pods
  get list watch | custom.metrics.k8s.io | *
  get list watch | external.metrics.k8s.io | *
  events
  get list watch update patch | batch | jobs
  update | batch | jobs/status
  update | batch | jobs/finalizers
  list watch create delete patch | core | pods
  events
  get list watch create | scheduling.k8s.io | workloads podgroups
system:controller:job-controller
system:controller:namespace-controller
  get list watch delete | core | namespaces
  update | core | namespaces/finalize namespaces/status
  get list watch delete deletecollection | * | *
system:controller:node-controller
  get list watch update delete patch | core | nodes
  patch update | core | nodes/status
  patch update | core | pods/status
  list watch get delete | core | pods
  events
system:controller:persistent-volume-binder
  get list watch update create delete | core | persistentvolumes
  update | core | persistentvolumes/status
  get list watch update | core | persistentvolumeclaims
  update | core | persistentvolumeclaims/status
  list watch get create delete | core | pods
  get list watch | storage.k8s.io | storageclasses
  list watch | core | nodes
  events
  watch | core | events
system:controller:pod-garbage-collector
  list watch delete | core | pods
  get list watch | core | nodes
  patch | core | pods/status
system:controller:replicaset-controller
  get list watch update | apps extensions | replicasets
  update | apps extensions | replicasets/status
  update | apps extensions | replicasets/finalizers
  list watch patch create delete | core | pods
  events
system:controller:replication-controller
  get list watch update | core | replicationcontrollers
  update | core | replicationcontrollers/status
  update | core | replicationcontrollers/finalizers
  list watch patch create delete | core | pods
  events
system:controller:resourcequota-controller
  list watch | * | *
  update | core | resourcequotas/status
  events
system:controller:route-controller
  list watch | core | nodes
  patch | core | nodes/status
  events
system:controller:service-account-controller
  create | core | serviceaccounts
  events
system:controller:service-controller
  get list watch | core | services
  patch update | core | services/status
  list watch | core | nodes
  events
system:controller:service-cidrs-controller
  get list watch patch update | networking.k8s.io | servicecidrs
  patch update | networking.k8s.io | servicecidrs/finalizers
  patch update | networking.k8s.io | servicecidrs/status
  get list watch | networking.k8s.io | ipaddresses
  events
system:controller:statefulset-controller
  list watch | core | pods
  get list watch | apps | statefulsets
  update | apps | statefulsets/status
  update | apps | statefulsets/finalizers
  get create delete update patch | core | pods
  get create delete update patch list watch | apps | controllerrevisions
  get create list watch | core | persistentvolumeclaims
  update delete | core | persistentvolumeclaims
  update | core | pods/finalizers
  events
system:controller:ttl-controller
  update patch list watch | core | nodes
  events
system:controller:certificate-controller
  get list watch delete | certificates.k8s.io | certificatesigningrequests
  update | certificates.k8s.io | certificatesigningrequests/status certificatesigningrequests/approval
  approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
  sign | certificates.k8s.io | signers | kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client
    + kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving
  create | authorization.k8s.io | subjectaccessreviews
  events
system:controller:pvc-protection-controller
  get list watch update | core | persistentvolumeclaims
  update | core | persistentvolumeclaims/status
  list watch get | core | pods
  events
system:controller:pv-protection-controller
  get list watch update | core | persistentvolumes
  events
system:controller:volumeattributesclass-protection-controller
  list watch get | core | persistentvolumeclaims
  list watch get | core | persistentvolumes
  get list watch update | storage.k8s.io | volumeattributesclasses
  events
system:controller:ttl-after-finished-controller
  get list watch delete | batch | jobs
  events
system:controller:root-ca-cert-publisher
  create update | core | configmaps
  events
system:controller:service-ca-cert-publisher
  create update | core | configmaps
  events
system:controller:validatingadmissionpolicy-status-controller
  get list watch | admissionregistration.k8s.io | validatingadmissionpolicies
  get patch update | admissionregistration.k8s.io | validatingadmissionpolicies/status
  events
system:controller:legacy-service-account-token-cleaner
  get | core | configmaps | kube-apiserver-legacy-service-account-token-tracking
  patch delete | core | secrets
system:controller:selinux-warning-controller
  events
  get list watch | core | persistentvolumes
  get list watch | core | persistentvolumeclaims
  get list watch | core | pods
  get list watch | storage.k8s.io | csidrivers`;
