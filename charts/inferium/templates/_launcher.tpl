{{/* Anything where some member is a launcher. */}}
{{- define "inferium.hasLauncher" -}}
{{- range .Values.members }}{{ if eq (.mode | default "Pooled") "Pod" }}true{{ end }}{{ end }}
{{- end -}}

{{/* Of a launcher's container. */}}
{{- define "inferium.launcherEnv" -}}
{{- $l := .Values.launcher -}}
{{- $env := list -}}
{{- range $name, $value := $l.env }}{{ $env = append $env (dict "name" $name "value" (toString $value)) }}{{ end -}}
{{- if $l.tokenSecret }}{{ $env = append $env (dict "name" "INFERIUM_CHECKPOINT_TOKEN" "valueFrom" (dict "secretKeyRef" (dict "name" $l.tokenSecret "key" "token"))) }}{{ end -}}
{{- $identity := dict "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 -}}
{{- $defaults := dict "image" (include "inferium.image" .) "imagePullPolicy" .Values.image.pullPolicy "tolerations" $l.tolerations "env" $env "securityContext" $identity -}}
{{- if $l.priorityClassName }}{{ $_ := set $defaults "priorityClassName" $l.priorityClassName }}{{ end -}}
{{- if $l.runtimeClassName }}{{ $_ := set $defaults "runtimeClassName" $l.runtimeClassName }}{{ end -}}
{{- if $l.pullSecrets }}{{ $secrets := list }}{{ range $l.pullSecrets }}{{ $secrets = append $secrets (dict "name" .) }}{{ end }}{{ $_ := set $defaults "imagePullSecrets" $secrets }}{{ end -}}
- { name: INFERIUM_EXECUTOR, value: pod }
- { name: INFERIUM_POD_NAMESPACE, value: {{ $l.namespace }} }
- { name: INFERIUM_POD_DEFAULTS, value: {{ toJson $defaults | quote }} }
{{- with $l.images }}
- { name: INFERIUM_POD_IMAGES, value: {{ join "," . | quote }} }
{{- end }}
{{- end -}}
