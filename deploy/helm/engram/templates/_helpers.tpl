{{/* Labels of a component: (dict "root" $ "name" "results"). */}}
{{- define "engram.selector" -}}
app.kubernetes.io/name: engram
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "engram.labels" -}}
{{ include "engram.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "engram.scheme" -}}
{{ if .Values.tls.secretName }}https{{ else }}http{{ end }}
{{- end }}

{{/* Base URL of a service within the cluster: (dict "root" $ "name" "results"). */}}
{{- define "engram.url" -}}
{{- $port := (index .root.Values.services .name).port -}}
{{ include "engram.scheme" .root }}://{{ .root.Release.Name }}-{{ .name }}.{{ .root.Release.Namespace }}.svc:{{ $port }}
{{- end }}

{{- define "engram.fromSecret" -}}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: {{ .root.Values.secretName }}, key: {{ .key }} } }
{{- end }}

{{- define "engram.env" -}}
- { name: ENGRAM_HOST, value: 0.0.0.0 }
- { name: ENGRAM_HOME, value: /var/lib/engram }
- { name: ENGRAM_LOG_LEVEL, value: {{ .Values.logLevel }} }
- { name: ENGRAM_STORAGE, value: {{ .Values.storage }} }
- { name: ENGRAM_OBJECTS_URL, value: {{ .Values.objectsUrl | quote }} }
- { name: ENGRAM_FHIR_URL, value: {{ .Values.fhirUrl | quote }} }
- { name: ENGRAM_INGESTION_URL, value: {{ include "engram.url" (dict "root" . "name" "ingestion") | quote }} }
- { name: ENGRAM_FEATURE_STORE_URL, value: {{ include "engram.url" (dict "root" . "name" "feature-store") | quote }} }
- { name: ENGRAM_PREDICTION_URL, value: {{ include "engram.url" (dict "root" . "name" "prediction") | quote }} }
- { name: ENGRAM_TASK_RESULTS_DAYS, value: {{ .Values.lifecycle.taskResultsDays | quote }} }
- { name: ENGRAM_RAW_COLD_DAYS, value: {{ .Values.lifecycle.rawColdDays | quote }} }
{{- with .Values.allow }}
- { name: ENGRAM_ALLOW, value: {{ join " " . | quote }} }
{{- end }}
{{- with .Values.otlpUrl }}
- { name: ENGRAM_EXPORTER, value: otlp }
- { name: ENGRAM_OTLP_URL, value: {{ . | quote }} }
{{- end }}
{{- if .Values.tls.secretName }}
- { name: ENGRAM_TLS_CERT_FILE, value: /etc/engram/tls/tls.crt }
- { name: ENGRAM_TLS_KEY_FILE, value: /etc/engram/tls/tls.key }
{{- else }}
- { name: ENGRAM_BEHIND_TLS_PROXY, value: '1' }
{{- end }}
{{- if .Values.tls.caSecretName }}
- { name: NODE_EXTRA_CA_CERTS, value: /etc/engram/ca/ca.crt }
{{- end }}
{{ include "engram.fromSecret" (dict "root" . "name" "ENGRAM_SITE_SECRET" "key" "site-secret") }}
{{ include "engram.fromSecret" (dict "root" . "name" "ENGRAM_TOKEN" "key" "token") }}
{{ include "engram.fromSecret" (dict "root" . "name" "ENGRAM_BUS_URL" "key" "bus-url") }}
{{ include "engram.fromSecret" (dict "root" . "name" "ENGRAM_RECORDS_URL" "key" "records-url") }}
{{- if .Values.fhirToken }}
{{ include "engram.fromSecret" (dict "root" . "name" "ENGRAM_FHIR_TOKEN" "key" "fhir-token") }}
{{- end }}
{{- if .Values.awsKeys }}
{{ include "engram.fromSecret" (dict "root" . "name" "AWS_ACCESS_KEY_ID" "key" "aws-access-key-id") }}
{{ include "engram.fromSecret" (dict "root" . "name" "AWS_SECRET_ACCESS_KEY" "key" "aws-secret-access-key") }}
{{- end }}
{{- end }}

{{- define "engram.podSecurity" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
# A service ends within 25 s of its signal.
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "engram.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "engram.probes" -}}
startupProbe:
  httpGet: { path: /startupz, port: http, scheme: {{ include "engram.scheme" . | upper }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: http, scheme: {{ include "engram.scheme" . | upper }} }
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: { path: /readyz, port: http, scheme: {{ include "engram.scheme" . | upper }} }
  periodSeconds: 5
  timeoutSeconds: 6
{{- end }}

{{- define "engram.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: home, mountPath: /var/lib/engram }
{{- if .Values.tls.secretName }}
- { name: tls, mountPath: /etc/engram/tls, readOnly: true }
{{- end }}
{{- if .Values.tls.caSecretName }}
- { name: ca, mountPath: /etc/engram/ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "engram.volumes" -}}
{{- if .Values.tls.secretName }}
- name: tls
  secret: { secretName: {{ .Values.tls.secretName }}, defaultMode: 0440 }
{{- end }}
{{- if .Values.tls.caSecretName }}
- name: ca
  secret: { secretName: {{ .Values.tls.caSecretName }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end }}

{{/* Replicas of one component on different nodes where there are several. */}}
{{- define "engram.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "engram.selector" . | nindent 8 }}
{{- end }}
