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

data "aws_partition" "here" {}
data "aws_caller_identity" "here" {}

locals {
  users = "arn:${data.aws_partition.here.partition}:iam::${data.aws_caller_identity.here.account_id}:user/latchkey/*"
  group = "arn:${data.aws_partition.here.partition}:iam::${data.aws_caller_identity.here.account_id}:group/*"
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

# What nobody made by the connector can go beyond, whatever policy it is given.
data "aws_iam_policy_document" "boundary" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["iam:*", "organizations:*", "account:*", "sts:AssumeRole"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "boundary" {
  count       = var.with_permissions ? 1 : 0
  name_prefix = "latchkey-boundary-"
  path        = "/latchkey/"
  description = "The most that a grant of Latchkey can hold"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "give_and_take" {
  count = var.with_permissions ? 1 : 0
  statement {
    sid       = "UsersWithBoundaryOnly"
    actions   = ["iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"]
    resources = [local.users]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary[0].arn]
    }
  }
  statement {
    sid = "TakingAway"
    actions = [
      "iam:GetUser", "iam:TagUser", "iam:DeleteUser", "iam:DeleteUserPolicy", "iam:DetachUserPolicy",
      "iam:GetUserPolicy", "iam:ListUserPolicies", "iam:ListAttachedUserPolicies", "iam:ListUserTags",
      "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys",
      "iam:ListGroupsForUser", "iam:AddUserToGroup", "iam:RemoveUserFromGroup",
    ]
    resources = [local.users, local.group]
  }
  statement {
    sid = "Looking"
    actions = [
      "iam:List*", "iam:GetRole", "iam:GetPolicy", "iam:GetPolicyVersion", "s3:ListAllMyBuckets", "s3:GetBucketLocation",
      "s3:GetBucketTagging", "s3:GetEncryptionConfiguration", "dynamodb:ListTables", "dynamodb:DescribeTable",
      "dynamodb:ListTagsOfResource", "secretsmanager:ListSecrets", "sns:ListTopics", "sns:ListTagsForResource",
      "sqs:ListQueues", "sqs:ListQueueTags", "sqs:GetQueueAttributes", "ec2:DescribeInstances", "ec2:DescribeTags",
      "ecr:DescribeRepositories", "ecr:ListTagsForResource", "kms:DescribeKey", "tag:GetResources",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "give_and_take" {
  count  = var.with_permissions ? 1 : 0
  name   = "give-and-take"
  role   = var.role_name
  policy = data.aws_iam_policy_document.give_and_take[0].json
}

output "boundary_arn" {
  value       = var.with_permissions ? aws_iam_policy.boundary[0].arn : null
  description = "The boundary to name in the integration's configuration."
}
