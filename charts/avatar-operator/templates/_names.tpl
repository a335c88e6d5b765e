{{- define "avatar-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "avatar-operator.fullname" -}}
{{- $name := include "avatar-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "avatar-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "avatar-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Where the Lease is. */ -}}
{{- define "avatar-operator.leaseNamespace" -}}
{{- default .Release.Namespace .Values.operator.namespace -}}
{{- end -}}

{{- /* The `name` of an object that has no namespace, where several operators may have one: `root`. */ -}}
{{- define "avatar-operator.perRelease" -}}
{{- printf "%s-%s" .name .root.Release.Namespace -}}
{{- end -}}

{{- define "avatar-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "avatar-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "avatar-operator.ownLabels" -}}
{{ include "avatar-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "avatar-operator.labels" -}}
{{ include "avatar-operator.ownLabels" . }}
{{- include "avatar-operator.refuseOwnLabels" (dict "root" . "value" "commonLabels") }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Fail where a `value` of labels has one of the chart's own, by which Pods are found: `root`. */ -}}
{{- define "avatar-operator.refuseOwnLabels" -}}
{{- $own := fromYaml (include "avatar-operator.ownLabels" .root) -}}
{{- range $label, $_ := index .root.Values .value }}
{{- if hasKey $own $label }}
{{- fail (printf "%s: %s is set by the chart, which finds its objects by it; leave it out" $.value $label) }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* An image: `root`, and its `image` values. */ -}}
{{- define "avatar-operator.image" -}}
{{- $registry := .image.registry | default .root.Values.global.imageRegistry -}}
{{- $repository := .image.repository -}}
{{- if $registry -}}{{- $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository -}}{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "avatar-operator.sagemakerLocal" -}}
{{- printf "%s-aws" (include "avatar-operator.fullname" . | trunc 59 | trimSuffix "-") -}}
{{- end -}}

{{- define "avatar-operator.imagePullSecrets" -}}
{{- with concat (default list .Values.global.imagePullSecrets) (default list .Values.imagePullSecrets) | uniq }}
imagePullSecrets:
{{- range . }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}
