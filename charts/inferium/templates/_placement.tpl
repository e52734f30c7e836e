{{/*
Where a member's pod goes and what it gets of the node's devices. Each takes a dict: root, member, conf (of its role), name.
*/}}

{{/* The node, and for a worker that names a tier: only once its agent has found that the node reaches it. */}}
{{- define "inferium.placement" -}}
{{- $tiers := dict "Low" (list "Low" "Mid" "High") "Mid" (list "Mid" "High") "High" (list "High") -}}
nodeSelector:
  kubernetes.io/hostname: {{ .member.node }}
{{- with .member.tier }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - { key: inferium.io/tier, operator: In, values: {{ get $tiers . | toJson }} }
{{- end }}
{{- with .conf.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .conf.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .conf.priorityClassName }}
priorityClassName: {{ .conf.priorityClassName }}
{{- else if .root.Values.priorityClasses.create }}
priorityClassName: {{ include "inferium.fullname" .root }}-member
{{- end }}
{{- with .conf.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if .member.deviceClass }}
resourceClaims:
  - { name: gpus, resourceClaimTemplateName: {{ .name }}-gpus }
{{- end }}
{{- end -}}

{{/* Of the container: what is given, and the GPUs, whole ones or MIG instances of a profile, or those of the claim. */}}
{{- define "inferium.memberResources" -}}
{{- $resources := deepCopy (.member.resources | default .conf.resources) -}}
{{- if .member.deviceClass -}}
  {{- $_ := set $resources "claims" (append ($resources.claims | default list) (dict "name" "gpus")) -}}
{{- else if .member.gpus -}}
  {{- $device := ternary (printf "nvidia.com/mig-%s" .member.migProfile) "nvidia.com/gpu" (not (empty .member.migProfile)) -}}
  {{- $_ := set $resources "limits" (merge (dict $device (int .member.gpus)) ($resources.limits | default dict)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* A claim of its own for each member, by dynamic resource allocation. */}}
{{- define "inferium.claimTemplate" -}}
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata:
  name: {{ .name }}-gpus
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "inferium.labels" .root | nindent 4 }}
spec:
  spec:
    devices:
      requests:
        - name: gpus
          exactly: { deviceClassName: {{ .member.deviceClass }}, allocationMode: ExactCount, count: {{ int .member.gpus }} }
{{- end -}}
