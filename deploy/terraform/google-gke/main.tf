# A Latchkey connector in Google GKE: the Helm chart, with workload identity.

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0"
    }
  }
}

variable "name" {
  type    = string
  default = "latchkey"
}

variable "project_id" {
  type = string
}

variable "namespace" {
  type    = string
  default = "latchkey-connector"
}

variable "url" {
  type        = string
  description = "The server's address, beginning with https://."
}

variable "image" {
  type        = string
  description = "The connector's image, with its tag."
}

variable "token_secret" {
  type        = string
  description = "A Kubernetes secret of the namespace whose key \"token\" is the connector's token."
}

variable "instances" {
  type    = number
  default = 2
}

variable "with_permissions" {
  type        = bool
  default     = false
  description = "Whether it may set the project's IAM policy (roles/iam.securityAdmin) and look around (roles/browser)."
}

variable "manage_cluster_roles" {
  type        = bool
  default     = false
  description = "Whether it may give people roles in this very cluster."
}

resource "google_service_account" "connector" {
  project      = var.project_id
  account_id   = "${var.name}-connector"
  display_name = "Latchkey connector"
}

resource "google_service_account_iam_member" "identity" {
  service_account_id = google_service_account.connector.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project_id}.svc.id.goog[${var.namespace}/${var.name}]"
}

resource "google_project_iam_member" "connector" {
  for_each = var.with_permissions ? toset(["roles/browser", "roles/iam.securityAdmin"]) : toset([])
  project  = var.project_id
  role     = each.value
  member   = "serviceAccount:${google_service_account.connector.email}"
}

resource "helm_release" "connector" {
  name             = var.name
  chart            = "${path.module}/../../helm/latchkey-connector"
  namespace        = var.namespace
  create_namespace = true
  values = [yamlencode({
    url         = var.url
    image       = var.image
    tokenSecret = var.token_secret
    platform    = "gke"
    replicas    = var.instances
    serviceAccount = {
      manageClusterRoles = var.manage_cluster_roles
      annotations        = { "iam.gke.io/gcp-service-account" = google_service_account.connector.email }
    }
  })]
}

output "connector_service_account" {
  value       = google_service_account.connector.email
  description = "Who the connector is, for IAM bindings on single resources."
}
