# A Latchkey connector on Azure Container Instances. It dials out and has no address of its own.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

variable "name" {
  type    = string
  default = "latchkey"
}

variable "resource_group_name" {
  type = string
}

variable "location" {
  type = string
}

variable "url" {
  type        = string
  description = "The server's address, beginning with https://."
}

variable "image" {
  type        = string
  description = "The connector's image, with its tag."
}

variable "token" {
  type        = string
  sensitive   = true
  description = "The connector's token. Terraform keeps it in its state: protect that, or let the token expire soon."
}

variable "instances" {
  type    = number
  default = 2
}

variable "with_permissions" {
  type        = bool
  default     = false
  description = "Whether it may give roles in the subscription (User Access Administrator)."
}

data "azurerm_subscription" "here" {}

resource "azurerm_user_assigned_identity" "connector" {
  name                = "${var.name}-connector"
  resource_group_name = var.resource_group_name
  location            = var.location
}

resource "azurerm_role_assignment" "connector" {
  count                = var.with_permissions ? 1 : 0
  scope                = data.azurerm_subscription.here.id
  role_definition_name = "User Access Administrator"
  principal_id         = azurerm_user_assigned_identity.connector.principal_id
}

resource "azurerm_container_group" "connector" {
  count               = var.instances
  name                = "${var.name}-connector-${count.index + 1}"
  resource_group_name = var.resource_group_name
  location            = var.location
  os_type             = "Linux"
  ip_address_type     = "None"
  restart_policy      = "Always"
  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.connector.id]
  }
  container {
    name   = "connector"
    image  = var.image
    cpu    = 1
    memory = 2
    environment_variables = {
      LATCHKEY_URL                = var.url
      LATCHKEY_CONNECTOR_PLATFORM = "aci"
      AZURE_CLIENT_ID             = azurerm_user_assigned_identity.connector.client_id
    }
    secure_environment_variables = {
      LATCHKEY_CONNECTOR_TOKEN = var.token
    }
    liveness_probe {
      initial_delay_seconds = 30
      period_seconds        = 30
      failure_threshold     = 3
      http_get {
        path   = "/healthz"
        port   = 8080
        scheme = "http"
      }
    }
  }
}

output "connector_principal_id" {
  value       = azurerm_user_assigned_identity.connector.principal_id
  description = "Who the connector is, for role assignments on single resources."
}
