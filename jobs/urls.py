"""Addresses of the room's pages, on the organisation's site."""

from django.urls import path

from jobs.views import pages

app_name = "jobs"
urlpatterns = [
    path("", pages.job_list, name="list"),
    path("sidebar", pages.sidebar, name="sidebar"),
    path("<uuid:pk>/", pages.job_detail, name="detail"),
    path("<uuid:pk>/cancel", pages.job_cancel, name="cancel"),
    path("<uuid:pk>/retry", pages.job_retry, name="retry"),
]
