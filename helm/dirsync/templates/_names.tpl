{{/* The release's name, with the chart's in front of what says nothing of it. A label takes 63 characters, and suffixes need room. */}}
{{- define "dirsync.base" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of the controller and of what belongs to it. */}}
{{- define "dirsync.controller" -}}
{{- default (printf "%s-controller" (include "dirsync.base" .)) .Values.fullnameOverride -}}
{{- end -}}

{{- define "dirsync.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "dirsync.controller" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "dirsync.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Never change: a Deployment's selector is immutable. */}}
{{- define "dirsync.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "dirsync.release" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "dirsync.labels" -}}
{{ include "dirsync.release" . }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* What the controller does, verb by verb: the same as config/rbac/controller-role.yaml. */}}
{{- define "dirsync.rules" -}}
- apiGroups: [dirsync.dev]
  resources: [directorysyncs, attributemappings, teamrules, customattributes]
  verbs: [get, list, watch]
- apiGroups: [dirsync.dev]
  resources: [directorysyncs, customattributes]
  verbs: [patch]
- apiGroups: [dirsync.dev]
  resources: [directorysyncs/status, attributemappings/status, teamrules/status, customattributes/status]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets, configmaps]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
