{{/* What the schema cannot say, because it is about several values at once. */}}
{{- define "inferium.checks" -}}
{{- $v := .Values -}}
{{- $chain := include "inferium.chain" . | fromYaml -}}
{{- include "inferium.checkTrial" . -}}
{{- if eq $v.mode "hub" -}}
  {{- if not $chain.rpcUrl -}}{{- fail "chain.rpcUrl is empty; expected the JSON-RPC endpoint of the chain, such as https://rpc.example.com. A trial without a chain of one's own: chain.embedded.enabled, or npm start." -}}{{- end -}}
  {{- if not (include "inferium.hasContracts" .) -}}{{- fail "chain.addresses is empty; expected the address of each contract, or chain.existingConfigMap with addresses.json" -}}{{- end -}}
{{- else -}}
  {{- if not $v.pool.url -}}{{- fail "pool.url is empty; in member mode expected the https URL of the hub's pool" -}}{{- end -}}
  {{- if not $v.members -}}{{- fail "members is empty; in member mode expected at least one worker or validator" -}}{{- end -}}
{{- end -}}
{{- if or $v.crds.install $v.rbac.create -}}{{- include "inferium.checkOtherRelease" . -}}{{- end -}}
{{- $full := include "inferium.fullname" . -}}
{{- if regexMatch "^[0-9]" $full -}}{{- fail (printf "objects would be named %s, and a Service's name begins with a letter; expected a release name or a nameOverride that does" $full) -}}{{- end -}}
{{- if and (eq $v.mode "hub") (eq (int $v.metricsPort) (int $v.pool.port)) -}}{{- fail (printf "metricsPort and pool.port are both %d; expected two ports, the operator listens on both" (int $v.pool.port)) -}}{{- end -}}
{{- $models := $v.operator.models -}}
{{- if or (gt (int $models.quorum) (int $models.validators)) (le (mul 2 (int $models.quorum)) (int $models.validators)) -}}{{- fail (printf "operator.models.quorum is %d of %d validators; expected a majority of at most all" (int $models.quorum) (int $models.validators)) -}}{{- end -}}
{{- include "inferium.checkEnv" . -}}
{{- if not $chain.treasury -}}{{- fail "chain.treasury is empty; expected the 0x-address of the treasury" -}}{{- end -}}
{{- if and (eq $v.pool.tls.mode "existingSecret") (eq $v.mode "hub") (not $v.pool.tls.existingSecret) -}}{{- fail "pool.tls.existingSecret is empty; pool.tls.mode existingSecret needs the name of a Secret with tls.crt and tls.key" -}}{{- end -}}
{{- if and (eq $v.pool.tls.mode "certManager") (eq $v.mode "hub") (not $v.pool.tls.issuerRef.name) -}}{{- fail "pool.tls.issuerRef.name is empty; pool.tls.mode certManager needs the name of an issuer" -}}{{- end -}}
{{- $keys := $v.validator.provingKeys -}}
{{- $given := list -}}
{{- range $name := list "existingClaim" "image" "records" -}}{{- if get $keys $name -}}{{- $given = append $given $name -}}{{- end -}}{{- end -}}
{{- if gt (len $given) 1 -}}{{- fail (printf "validator.provingKeys has %s; expected at most one of existingClaim, image and records" (join " and " $given)) -}}{{- end -}}
{{- if and $given (not (and $chain.rpcUrl (include "inferium.hasContracts" .))) -}}{{- fail "validator.provingKeys is given but no chain: proofs are for keys of the chain's ModelRegistry. Set chain.rpcUrl and chain.addresses" -}}{{- end -}}
{{- $nodes := dict -}}{{- $names := dict -}}
{{- range $v.members -}}
  {{- if hasKey $nodes .node -}}{{- fail (printf "members: %s and %s are both on node %s; expected one member a node" (get $nodes .node) .name .node) -}}{{- end -}}
  {{- if hasKey $names .name -}}{{- fail (printf "members: two are named %s; expected a name for each" .name) -}}{{- end -}}
  {{- if and .existingSecret (not .address) -}}{{- fail (printf "members: %s has existingSecret but no address; expected the address of its key, so that the agent needs no key" .name) -}}{{- end -}}
  {{- if and (or .migProfile .deviceClass) (not .gpus) -}}{{- fail (printf "members: %s names %s but no gpus; expected how many of them" .name (.migProfile | default .deviceClass)) -}}{{- end -}}
  {{- if and .migProfile .deviceClass -}}{{- fail (printf "members: %s has migProfile and deviceClass; expected one: a device class selects MIG devices itself" .name) -}}{{- end -}}
  {{- if and .tier (eq (.role | default "Worker") "Validator") -}}{{- fail (printf "members: %s is a Validator and has a tier; expected none, tiers are of workers" .name) -}}{{- end -}}
  {{- if and (eq (.mode | default "Pooled") "Pod") (eq (.role | default "Worker") "Validator") -}}{{- fail (printf "members: %s is a Validator and of mode Pod; expected a Worker, which alone can launch pods" .name) -}}{{- end -}}
  {{- if and (eq (.mode | default "Pooled") "Pod") (eq $v.launcher.namespace $.Release.Namespace) -}}{{- fail (printf "launcher.namespace is %s, where the release keeps its keys; expected a namespace of its own" $v.launcher.namespace) -}}{{- end -}}
  {{- $set := printf "%s-%s-%s" $full (.role | default "Worker" | lower) .name -}}
  {{- if gt (len $set) 52 -}}{{- fail (printf "members: the StatefulSet of %s would be named %s, of %d characters; at most 52 leave room for its pods' labels. Expected a shorter member or release name." .name $set (len $set)) -}}{{- end -}}
  {{- $_ := set $nodes .node .name -}}{{- $_ := set $names .name true -}}
{{- end -}}
{{- end -}}

{{/* What is there already: definitions of another release, and with them perhaps a hub. helm template sees nothing of a cluster. */}}
{{- define "inferium.checkOtherRelease" -}}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "inferencetasks.inferium.io" -}}
{{- $notes := dict -}}
{{- if $crd -}}{{- $notes = $crd.metadata.annotations | default dict -}}{{- end -}}
{{- $owner := get $notes "meta.helm.sh/release-name" | default "" -}}
{{- $where := get $notes "meta.helm.sh/release-namespace" | default "" -}}
{{- if and $owner (or (ne $owner .Release.Name) (ne $where .Release.Namespace)) -}}
  {{- if eq .Values.mode "hub" -}}
    {{- range (lookup "apps/v1" "Deployment" $where "").items -}}
      {{- if and (eq (get (.metadata.labels | default dict) "app.kubernetes.io/instance") $owner) (eq (get .metadata.labels "app.kubernetes.io/component") "operator") -}}
        {{- fail (printf "release %s in namespace %s is a hub of this cluster already, and two would both run every task; expected one hub. Use mode member, or uninstall the other." $owner $where) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if .Values.crds.install -}}
    {{- fail (printf "the definitions belong to release %s in namespace %s. Beside that release set crds.install false; in its place hand them over first: kubectl annotate crd -l app.kubernetes.io/name=inferium --overwrite meta.helm.sh/release-name=%s meta.helm.sh/release-namespace=%s" $owner $where .Release.Name .Release.Namespace) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* A variable that the chart sets itself would stand there twice, and which one counts differs from client to client. */}}
{{- define "inferium.checkEnv" -}}
{{- $own := list "POD_NAME" "POD_NAMESPACE" "POD_IP" "NODE_NAME" "TMPDIR" "NVIDIA_VISIBLE_DEVICES" "NVIDIA_DRIVER_CAPABILITIES" -}}
{{- range list "LOG_LEVEL" "LABEL_LEADER" "WATCH_NAMESPACE" "POOL_NAME" "POOL_HOST" "POOL_PORT" "POOL_URL" "POOL_CA_FILE" "METRICS_ADDR" "HEALTH_HOST" "HEALTH_PORT" "TLS_CERT_FILE" "TLS_KEY_FILE" "RPC_URL" "ADDRESSES_FILE" "SETTLER_KEY_FILE" "TREASURY" "CONFIRMATIONS" "FROM_BLOCK" "BATCH_SECONDS" "BATCH_TASKS" "ALLOW_UNVERIFIED" "MEMBERS_FILE" "MEMBER_KEYS_DIR" "AGENT_INTERVAL_SECONDS" "SETTLEMENT" "CHAIN_ID" "KEY_FILE" "KEY_PASSPHRASE_FILE" "CACHE_DIR" "STATE_DIR" "CACHE_MIB" "EXECUTION_PROVIDERS" "SLOTS" "GRACE_SECONDS" "EXECUTOR" "POD_NAMESPACE" "POD_DEFAULTS" "POD_IMAGES" "IMAGE_DIGEST" "MINIMUM_QUORUM" "MINIMUM_LEVEL" "CHALLENGES" "REQUIRE_APPROVED_MODELS" "MODEL_VALIDATORS" "MODEL_QUORUM" "MODEL_APPROVAL_SECONDS" "AGENTS" "AGENT_IMAGE" "AGENT_IMAGE_PULL_POLICY" "GATEWAY_ACCOUNTS" "GATEWAY_ADDR" "DRAIN_DELAY_SECONDS" "WINDOW_CALLS" "WINDOW_SECONDS" -}}
  {{- $own = append $own (printf "INFERIUM_%s" .) -}}
{{- end -}}
{{- if .Values.gateway.enabled -}}
  {{- if not .Values.agents.enabled -}}{{- fail "gateway.enabled is true and agents.enabled is false; expected both: a gateway takes calls of agents that the operator hosts" -}}{{- end -}}
  {{- if not (and .Values.gateway.existingSecret .Values.gateway.address) -}}{{- fail "gateway.enabled is true without gateway.existingSecret and gateway.address; expected a Secret with the key `key` and the address of that key" -}}{{- end -}}
{{- end -}}
{{- range $role := list "operator" "agent" "worker" "validator" "gateway" -}}
  {{- range $name, $_ := (get $.Values $role).env -}}
    {{- $isFree := or (and (eq $role "validator") (eq $name "INFERIUM_ALLOW_UNVERIFIED")) (and (eq $role "agent") (eq $name "INFERIUM_MINIMUM_LEVEL")) -}}
    {{- if and (has $name $own) (not $isFree) -}}{{- fail (printf "%s.env has %s, which the chart sets itself; expected its own value in its place (values.yaml)" $role $name) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
