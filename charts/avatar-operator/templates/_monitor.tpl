{{- /* What a ServiceMonitor and a PodMonitor have in common: `root`, `kind`, the list's name, and the values. */ -}}
{{- define "avatar-operator.monitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: {{ .kind }}
metadata:
  name: {{ include "avatar-operator.fullname" .root }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "avatar-operator.labels" .root | nindent 4 }}
    {{- with .values.additionalLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "avatar-operator.selectorLabels" .root | nindent 6 }}
  {{ .endpoints }}:
  - port: http
    path: /metrics
    {{- /* `namespace` is the tenant's on what is counted for tenants; the Pod's would take its place. */}}
    honorLabels: true
    {{- range $field := list "interval" "metricRelabelings" "relabelings" "scrapeTimeout" }}
    {{- with index $.values $field }}
    {{- toYaml (dict $field .) | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}
