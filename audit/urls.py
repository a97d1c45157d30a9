"""Addresses of the trail."""

from django.urls import path

from audit import views

urlpatterns = [path("audit/export.csv", views.export, name="audit_export")]
