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

{{- /*
CEL: whether an object is one that the operator of `watchNamespaces` sees to, before or after the write. Of AvatarRuntimes, which have
no namespace, those are its that admit none but these (operator/avatar_operator/kube/scope.py).
*/ -}}
{{- define "avatar-operator.isOfThisOperator" -}}
{{- $admitsThese := "!has(%[1]s.spec.tenancy.namespaceSelector) && has(%[1]s.spec.tenancy.allowedNamespaces) && %[1]s.spec.tenancy.allowedNamespaces.all(name, name in %[2]s)" -}}
{{- $names := toJson .Values.watchNamespaces -}}
request.resource.resource != 'avatarruntimes' || ({{ printf $admitsThese "object" $names }}) || (oldObject != null && {{ printf $admitsThese "oldObject" $names }})
{{- end -}}
