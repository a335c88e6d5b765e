{{- /*
The operator's variables: one for each of its settings. A replica is called what its Pod is called, so that a container that is
restarted where it was leads at once.
*/ -}}
{{- define "avatar-operator.environment" -}}
{{- range $setting, $value := .Values.operator }}
{{- if or (eq (kindOf $value) "float64") (eq (kindOf $value) "int64") $value }}
- name: AVATAR_OPERATOR_{{ snakecase $setting | upper }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- with .Values.watchNamespaces }}
- name: AVATAR_OPERATOR_WATCH_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if not .Values.operator.identity }}
- name: AVATAR_OPERATOR_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- with .Values.aws.region }}
- name: AWS_DEFAULT_REGION
  value: {{ quote . }}
{{- end }}
{{- $local := and .Values.demo.enabled .Values.demo.sagemakerLocal.enabled }}
{{- /* Of a name with a dot S3 would take the first part for a bucket. */}}
{{- with .Values.aws.endpointUrl | default (ternary (printf "http://%s:4566" (include "avatar-operator.sagemakerLocal" .)) "" $local) }}
- name: AWS_ENDPOINT_URL
  value: {{ quote . }}
{{- end }}
{{- if $local }}
{{- /* sagemaker-local takes any, and an SDK wants some. */}}
- name: AWS_ACCESS_KEY_ID
  value: demo
- name: AWS_SECRET_ACCESS_KEY
  value: demo
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
