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
app.kubernetes.io/name: {{ include "avatar-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "avatar-operator.labels" -}}
{{ include "avatar-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
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
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
