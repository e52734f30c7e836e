/** Cluster roles for people and programs: administrators, editors, viewers, and what everybody may read. */
export const userRoles = `
cluster-admin
  * | * | *
  * | urls | *
admin
  aggregate rbac.authorization.k8s.io/aggregate-to-admin
edit
  label rbac.authorization.k8s.io/aggregate-to-admin
  aggregate rbac.authorization.k8s.io/aggregate-to-edit
view
  label rbac.authorization.k8s.io/aggregate-to-edit
  aggregate rbac.authorization.k8s.io/aggregate-to-view
system:aggregate-to-admin
  label rbac.authorization.k8s.io/aggregate-to-admin
  create | authorization.k8s.io | localsubjectaccessreviews
  readwrite | rbac.authorization.k8s.io | roles rolebindings
system:aggregate-to-edit
  label rbac.authorization.k8s.io/aggregate-to-edit
  read | core | pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy
  impersonate | core | serviceaccounts
  write | core | pods pods/attach pods/proxy pods/exec pods/portforward
  create | core | pods/eviction
  write | core | replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy
    + persistentvolumeclaims configmaps secrets
  create | core | serviceaccounts/token
  write | core events.k8s.io | events
  write | apps | statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback
    + replicasets replicasets/scale
  write | autoscaling | horizontalpodautoscalers
  write | batch | jobs cronjobs
  write | extensions | daemonsets deployments deployments/scale deployments/rollback ingresses replicasets
    + replicasets/scale replicationcontrollers/scale networkpolicies
  write | policy | poddisruptionbudgets
  write | networking.k8s.io | networkpolicies ingresses
  readwrite | coordination.k8s.io | leases
  write | resource.k8s.io | resourceclaims resourceclaimtemplates
system:aggregate-to-view
  label rbac.authorization.k8s.io/aggregate-to-view
  read | core | pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
    + endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps
  read | core | limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status
    + replicationcontrollers/status pods/log
  read | core | namespaces
  read | core events.k8s.io | events
  read | discovery.k8s.io | endpointslices
  read | apps | controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status
    + deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale
  read | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status
  read | batch | jobs cronjobs cronjobs/status jobs/status
  read | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses
    + ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies
  read | policy | poddisruptionbudgets poddisruptionbudgets/status
  read | networking.k8s.io | networkpolicies ingresses ingresses/status
  read | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates
system:basic-user
  create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews
  create | authentication.k8s.io | selfsubjectreviews
system:discovery
  get | urls | /livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*
system:public-info-viewer
  get | urls | /livez /readyz /healthz /version /version/
system:monitoring
  get | urls | /metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/* /flagz /statusz
  get | core | nodes/metrics
system:service-account-issuer-discovery
  get | urls | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/`;
