{{- /*
A policy on one kind, and its binding: `root`, `name`, `resource`, `validations`, and the binding's `namespaceSelector` or nothing.
What was there before may keep its spec: the operator has to be able to take its finalizer away, whatever was decided since.
*/ -}}
{{- define "avatar-operator.policy" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ .name }}
  labels:
    {{- include "avatar-operator.labels" .root | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [avatars.dev]
      apiVersions: ["*"]
      operations: [CREATE, UPDATE]
      resources: [{{ .resource }}]
  matchConditions:
  - name: changes-its-spec
    expression: oldObject == null || object.spec != oldObject.spec
  validations:
  {{- toYaml .validations | nindent 2 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "avatar-operator.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
  {{- with .namespaceSelector }}
  matchResources:
    namespaceSelector:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end -}}
