# A Latchkey connector on AWS ECS (Fargate). It dials out and needs no inbound port.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "name" {
  type        = string
  default     = "latchkey"
  description = "The connector's name; secrets tagged latchkey-connector with it may be read."
}

variable "url" {
  type        = string
  description = "The server's address, beginning with https://."
  validation {
    condition     = startswith(var.url, "https://")
    error_message = "The address begins with https://."
  }
}

variable "image" {
  type        = string
  description = "The connector's image, with its tag."
}

variable "token_secret_arn" {
  type        = string
  description = "The ARN of the secret that is the connector's token."
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets that reach out."
}

variable "assign_public_ip" {
  type        = bool
  default     = false
  description = "True in public subnets without a NAT gateway."
}

variable "instances" {
  type        = number
  default     = 2
  description = "Instances share the work; two survive the loss of one."
}

variable "with_permissions" {
  type        = bool
  default     = false
  description = "Whether it may manage IAM below /latchkey/, and read what people can ask for in this account."
}

variable "log_days" {
  type    = number
  default = 30
}

data "aws_partition" "here" {}
data "aws_region" "here" {}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "token" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.token_secret_arn]
  }
}

resource "aws_iam_role" "start" {
  name_prefix        = "${var.name}-start-"
  description        = "Starts the task: reads its token, writes its log"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "start" {
  role       = aws_iam_role.start.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "token" {
  name   = "token"
  role   = aws_iam_role.start.name
  policy = data.aws_iam_policy_document.token.json
}

resource "aws_iam_role" "connector" {
  name_prefix        = "${var.name}-connector-"
  description        = "What the Latchkey connector may do in this account"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

module "permissions" {
  source           = "../aws-permissions"
  role_name        = aws_iam_role.connector.name
  connector_name   = var.name
  with_permissions = var.with_permissions
}

resource "aws_cloudwatch_log_group" "connector" {
  name_prefix       = "${var.name}-connector-"
  retention_in_days = var.log_days
}

resource "aws_security_group" "outbound" {
  name_prefix = "${var.name}-connector-"
  description = "The Latchkey connector dials out; nothing comes in."
  vpc_id      = var.vpc_id
  egress {
    description = "The server, AWS, and the targets"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_ecs_cluster" "connector" {
  name = "${var.name}-connector"
}

resource "aws_ecs_task_definition" "connector" {
  family                   = "${var.name}-connector"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.connector.arn
  volume {
    name = "tmp"
  }
  container_definitions = jsonencode([{
    name                   = "connector"
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    user                   = "10001"
    stopTimeout            = 75
    linuxParameters        = { initProcessEnabled = true }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp" }]
    environment = [
      { name = "LATCHKEY_URL", value = var.url },
      { name = "LATCHKEY_CONNECTOR_PLATFORM", value = "ecs" },
    ]
    secrets = [{ name = "LATCHKEY_CONNECTOR_TOKEN", valueFrom = var.token_secret_arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.connector.name
        awslogs-region        = data.aws_region.here.name
        awslogs-stream-prefix = "connector"
      }
    }
  }])
}

resource "aws_ecs_service" "connector" {
  name                               = "${var.name}-connector"
  cluster                            = aws_ecs_cluster.connector.id
  task_definition                    = aws_ecs_task_definition.connector.arn
  launch_type                        = "FARGATE"
  desired_count                      = var.instances
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 200
  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.outbound.id]
    assign_public_ip = var.assign_public_ip
  }
}

output "connector_role_arn" {
  value       = aws_iam_role.connector.arn
  description = "The role to name where a target asks who the connector is."
}

output "boundary_arn" {
  value       = module.permissions.boundary_arn
  description = "The boundary to name in the integration's configuration."
}
