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
{{- with .Values.aws.endpointUrl }}
- name: AWS_ENDPOINT_URL
  value: {{ quote . }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
