{{- /* The binding of a role to the operator: `root`, its `kind` and `name`, and `namespace` or nothing. */ -}}
{{- define "avatar-operator.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "avatar-operator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
- kind: ServiceAccount
  name: {{ include "avatar-operator.serviceAccountName" .root | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
{{- end -}}

{{- /*
A part of the operator's ClusterRole, and its binding, where it works in some namespaces only: `root`, `rules` of the whole, `name`,
`of` what (runtimes, avatars, events), and `namespace` or nothing. Labels of namespaces are not read then: no runtime of such an
operator chooses by them.
*/ -}}
{{- define "avatar-operator.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (hasKey . "namespace") -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "avatar-operator.labels" .root | nindent 4 }}
rules:
{{- range $rule := .rules }}
{{- $resources := list }}
{{- range $rule.resources }}
{{- $isRuntime := hasPrefix "avatarruntimes" . }}
{{- if or (and (eq $.of "runtimes") $isRuntime) (and (eq $.of "events") (eq . "events")) (and (eq $.of "avatars") (not $isRuntime) (ne . "namespaces")) }}
{{- $resources = append $resources . }}
{{- end }}
{{- end }}
{{- with $resources }}
{{ toYaml (list (set (deepCopy $rule) "resources" .)) }}
{{- end }}
{{- end }}
---
{{ include "avatar-operator.binding" (merge (dict "kind" $kind) .) }}
{{- end -}}
