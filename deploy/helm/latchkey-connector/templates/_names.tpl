{{- define "connector.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- define "connector.labels" -}}
app.kubernetes.io/name: latchkey-connector
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
{{- define "connector.selector" -}}
app.kubernetes.io/name: latchkey-connector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
