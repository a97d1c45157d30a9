# What a connector may do in an AWS account: for the modules aws-ecs and aws-eks.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "role_name" {
  type        = string
  description = "The connector's role."
}

variable "connector_name" {
  type        = string
  description = "Secrets tagged latchkey-connector with this name may be read."
}

variable "with_permissions" {
  type        = bool
  description = "Whether it may manage IAM below /latchkey/, and read what people can ask for in this account."
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "secretsmanager:ResourceTag/latchkey-connector"
      values   = [var.connector_name]
    }
  }
}

resource "aws_iam_role_policy" "secrets" {
  name   = "tagged-secrets"
  role   = var.role_name
  policy = data.aws_iam_policy_document.secrets.json
}

# The set-up files of the provider aws-account: what nobody made by the connector can go beyond, and what it may do itself.
locals {
  setup = "${path.module}/../../../connectors/providers/aws-account/setup"
}

resource "aws_iam_policy" "boundary" {
  count       = var.with_permissions ? 1 : 0
  name        = "latchkey-boundary"
  description = "The most that a grant of Latchkey can hold"
  policy      = file("${local.setup}/1_boundary.json")
}

resource "aws_iam_role_policy" "give_and_take" {
  count  = var.with_permissions ? 1 : 0
  name   = "give-and-take"
  role   = var.role_name
  policy = file("${local.setup}/2_connector.json")
}

output "boundary_arn" {
  value       = var.with_permissions ? aws_iam_policy.boundary[0].arn : null
  description = "The boundary to name in the integration's configuration."
}
