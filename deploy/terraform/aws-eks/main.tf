# A Latchkey connector in AWS EKS: the Helm chart, and a role that its service account takes through Pod Identity.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0"
    }
  }
}

variable "name" {
  type        = string
  default     = "latchkey"
  description = "The connector's name; secrets tagged latchkey-connector with it may be read."
}

variable "cluster_name" {
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
  description = "Whether it may manage IAM below /latchkey/, and read what people can ask for in this account."
}

variable "manage_cluster_roles" {
  type        = bool
  default     = false
  description = "Whether it may give people roles in this very cluster."
}

data "aws_iam_policy_document" "pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "connector" {
  name_prefix        = "${var.name}-connector-"
  description        = "What the Latchkey connector may do in this account"
  assume_role_policy = data.aws_iam_policy_document.pods.json
}

module "permissions" {
  source           = "../aws-permissions"
  role_name        = aws_iam_role.connector.name
  connector_name   = var.name
  with_permissions = var.with_permissions
}

resource "aws_eks_pod_identity_association" "connector" {
  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = var.name
  role_arn        = aws_iam_role.connector.arn
}

resource "helm_release" "connector" {
  name             = var.name
  chart            = "${path.module}/../../helm/latchkey-connector"
  namespace        = var.namespace
  create_namespace = true
  values = [yamlencode({
    url            = var.url
    image          = var.image
    tokenSecret    = var.token_secret
    platform       = "eks"
    replicas       = var.instances
    serviceAccount = { manageClusterRoles = var.manage_cluster_roles }
  })]
  depends_on = [aws_eks_pod_identity_association.connector]
}

output "connector_role_arn" {
  value       = aws_iam_role.connector.arn
  description = "The role to name where a target asks who the connector is."
}

output "boundary_arn" {
  value       = module.permissions.boundary_arn
  description = "The boundary to name in the integration's configuration."
}
