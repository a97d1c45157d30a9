"""Addresses of the portal."""

from typing import Any

from django.urls import path

from access_requests import views
from access_requests.consumers import RequestConsumer

urlpatterns = [
    path("", views.my_access, name="my_access"),
    path("tasks/", views.my_tasks, name="my_tasks"),
    path("activity/", views.activity, name="activity"),
    path("activity/csv/", views.activity_csv, name="activity_csv"),
    path("reports/", views.report_list, name="report_list"),
    path("reports/new/", views.report_new, name="report_new"),
    path("reports/schedule/", views.schedule_reading, name="schedule_reading"),
    path("reports/<int:pk>/", views.report_page, name="report_page"),
    path("reports/<int:pk>/csv/", views.report_csv, name="report_csv"),
    path("reports/<int:pk>/pause/", views.report_pause, name="report_pause"),
    path("reports/<int:pk>/resume/", views.report_resume, name="report_resume"),
    path("reports/<int:pk>/delete/", views.report_delete, name="report_delete"),
    path("exports/<uuid:pk>/", views.export_page, name="export_page"),
    path("exports/<uuid:pk>/part/", views.export_part, name="export_part"),
    path("exports/<uuid:pk>/download/", views.export_fetch, name="export_fetch"),
    path("overdue/", views.overdue, name="overdue"),
    path("emergencies/", views.emergencies, name="emergencies"),
    path("emergencies/freeze/", views.freeze, name="freeze"),
    path("emergencies/freezes/<int:pk>/thaw/", views.thaw, name="thaw"),
    path("emergencies/revoke/<slug:kind>/", views.revoke_everything, name="revoke_everything"),
    path("emergencies/<uuid:pk>/", views.revocation, name="revocation"),
    path("emergencies/<uuid:pk>/part/", views.revocation_part, name="revocation_part"),
    path("envelopes/", views.envelope_list, name="envelopes"),
    path("envelopes/new/", views.envelope_new, name="envelope_new"),
    path("envelopes/<int:number>/", views.envelope, name="envelope"),
    path("envelopes/<int:number>/confirm/", views.envelope_confirm, name="envelope_confirm"),
    path("envelopes/<int:number>/refuse/", views.envelope_refuse, name="envelope_refuse"),
    path("envelopes/<int:number>/withdraw/", views.envelope_withdraw, name="envelope_withdraw"),
    path("envelopes/<int:number>/print/", views.envelope_print, name="envelope_print"),
    path("envelopes/<int:number>/file/", views.envelope_file, name="envelope_file"),
    path("envelopes/<int:number>/opened/", views.envelope_opened, name="envelope_opened"),
    path("envelopes/<int:number>/review/", views.envelope_review, name="envelope_review"),
    path("account/step-up", views.step_up, name="step_up"),
    path("requests/open", views.open_requests, name="open_requests"),
    path("requests/new/", views.new_request, name="new_request"),
    path("requests/why-not/", views.why_not, name="why_not"),
    path("requests/new/found/", views.find_resources, name="find_resources"),
    path("requests/new/people/", views.find_people, name="find_people"),
    path("requests/sent/<uuid:token>/", views.sent_requests, name="sent_requests"),
    path("requests/new/check/", views.check_request, name="check_request"),
    path("requests/<int:pk>/", views.request_page, name="request_page"),
    path("requests/<int:pk>/part/", views.request_part, name="request_part"),
    path("requests/<int:pk>/second-factor/", views.request_factor, name="request_factor"),
    path("requests/<int:pk>/ending/", views.access_ending, name="access_ending"),
    path("requests/<int:pk>/withdraw/", views.withdraw, name="withdraw_request"),
    path("requests/<int:pk>/hand-back/", views.hand_back, name="hand_back_access"),
    path("requests/<int:pk>/grant-again/", views.grant_again, name="grant_again"),
    path("requests/<int:pk>/revoke/", views.revoke, name="revoke_access"),
    path("requests/<int:pk>/approve/", views.approve, name="approve_request"),
    path("requests/<int:pk>/reject/", views.reject, name="reject_request"),
    path("requests/<int:pk>/review/", views.review, name="review_request"),
    path("requests/<int:pk>/dossier/", views.dossier, name="dossier"),
    path("requests/<int:pk>/dossier/file/", views.dossier_file, name="dossier_file"),
    path("dossier-keys.json", views.dossier_keys, name="dossier_keys"),
    path("requests/<int:pk>/declare/", views.declare, name="declare_end"),
    path("requests/<int:pk>/declare/<int:declaration>/confirm/", views.confirm_declaration, name="confirm_declaration"),
    path("requests/<int:pk>/declare/<int:declaration>/refuse/", views.refuse_declaration, name="refuse_declaration"),
    path(
        "requests/<int:pk>/declare/<int:declaration>/withdraw/", views.withdraw_declaration, name="withdraw_declaration"
    ),
    path("requests/<int:pk>/favourite/", views.favourite, name="favourite_request"),
    path("requests/<int:pk>/extend/", views.extend, name="extend_access"),
    path("requests/<int:pk>/extensions/<int:extension>/approve/", views.approve_extension, name="approve_extension"),
    path("requests/<int:pk>/extensions/<int:extension>/reject/", views.reject_extension, name="reject_extension"),
    path("requests/<int:pk>/extensions/<int:extension>/withdraw/", views.withdraw_extension, name="withdraw_extension"),
    path("requests/<int:pk>/sessions/<uuid:session>/password/", views.show_password, name="show_password"),
    path("requests/<int:pk>/sessions/<uuid:session>/reset/", views.reset_password, name="reset_password"),
]

_watch: Any = RequestConsumer.as_asgi()  # Django's path() knows the types of views only
websocket_urlpatterns = [path("ws/requests/<int:pk>/", _watch)]
