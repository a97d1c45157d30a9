"""Addresses of the API of integrations and connectors."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
