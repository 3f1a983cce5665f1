{{/* The name of everything: that of the release. */}}
{{- define "exporter.name" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* What never changes, by which pods are found. */}}
{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What every object carries. */}}
{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The pods that answer scrapes. */}}
{{- define "exporter.component" -}}
{{- if eq .Values.store.kind "postgresql" }}server{{ else }}exporter{{ end -}}
{{- end -}}

{{/* What a pod says before its containers. */}}
{{- define "exporter.pod" -}}
serviceAccountName: {{ include "exporter.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 15
securityContext:
  runAsNonRoot: true
  runAsUser: 10977
  runAsGroup: 10977
  fsGroup: 10977
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Image, settings and limits of a container. */}}
{{- define "exporter.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if or .Values.env (eq .Values.store.kind "postgresql") }}
env:
{{- if eq .Values.store.kind "postgresql" }}
  - name: DJE_STORE_URL_FILE
    value: /etc/databricks-jobs-exporter/secrets/store-url
{{- end }}
{{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where a container that serves is reached, and how it shows that it works. */}}
{{- define "exporter.serving" -}}
ports:
  - name: http
    containerPort: 10977
livenessProbe:
  httpGet: {path: /-/healthy, port: http, scheme: {{ .Values.scheme }}}
  periodSeconds: 15
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /-/ready, port: http, scheme: {{ .Values.scheme }}}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{/* What every container sees besides its image. */}}
{{- define "exporter.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: config, mountPath: /etc/databricks-jobs-exporter/config.toml, subPath: config.toml, readOnly: true}
- {name: secrets, mountPath: /etc/databricks-jobs-exporter/secrets, readOnly: true}
{{- end -}}

{{- define "exporter.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
- name: config
  configMap: {name: {{ include "exporter.name" . }}}
- name: secrets
  secret: {secretName: {{ .Values.secret }}, defaultMode: 0440}
{{- end -}}

{{/* A changed configuration starts new pods. */}}
{{- define "exporter.annotations" -}}
checksum/config: {{ .Values.config | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
