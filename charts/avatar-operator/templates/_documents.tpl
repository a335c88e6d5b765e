{{- /*
One object of a file in files/, as a map: its labels are added to, and its namespace is set where it has one. These files are what
tests and the demo apply as they stand, so nothing of theirs is written a second time here.
*/ -}}
{{- define "avatar-operator.labelled" -}}
{{- $object := .object -}}
{{- $labels := merge (fromYaml (include "avatar-operator.labels" .root)) (default dict $object.metadata.labels) -}}
{{- $_ := set $object.metadata "labels" $labels -}}
{{- toYaml $object -}}
{{- end -}}

{{- /* The objects of a file, as a list under `items`. Comments alone are no object. */ -}}
{{- define "avatar-operator.objectsOf" -}}
{{- $objects := list -}}
{{- range regexSplit "(?m)^---$" (.root.Files.Get .path) -1 -}}
{{- $object := fromYaml . -}}
{{- if $object.kind -}}{{- $objects = append $objects $object -}}{{- end -}}
{{- end -}}
{{- toYaml (dict "items" $objects) -}}
{{- end -}}
