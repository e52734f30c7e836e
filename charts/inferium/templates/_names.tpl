{{- define "inferium.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "inferium.selector" -}}
app.kubernetes.io/name: inferium
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "inferium.labels" -}}
{{ include "inferium.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "inferium.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "inferium.poolUrl" -}}
{{ .Values.pool.url | default (printf "https://%s-pool.%s.svc:%d" (include "inferium.fullname" .) .Release.Namespace (int .Values.pool.port)) }}
{{- end -}}

{{- define "inferium.contracts" -}}
{{ .Values.chain.existingConfigMap | default (printf "%s-contracts" (include "inferium.fullname" .)) }}
{{- end -}}

{{- define "inferium.hasContracts" -}}
{{- if or .Values.chain.existingConfigMap .Values.chain.addresses .Values.chain.embedded.enabled -}}true{{- end -}}
{{- end -}}

{{- define "inferium.settlerSecret" -}}
{{ .Values.chain.settler.existingSecret | default (printf "%s-settler" (include "inferium.fullname" .)) }}
{{- end -}}

{{- define "inferium.tlsSecret" -}}
{{ .Values.pool.tls.existingSecret | default (printf "%s-pool-tls" (include "inferium.fullname" .)) }}
{{- end -}}

{{/* Secret of one member's key; call with (dict "root" $ "member" .). */}}
{{- define "inferium.memberSecret" -}}
{{ .member.existingSecret | default (printf "%s-key-%s" (include "inferium.fullname" .root) .member.name) }}
{{- end -}}
