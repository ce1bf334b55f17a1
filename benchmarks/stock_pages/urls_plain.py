"""URLs of the plain rival."""

from django.urls import path

from benchmarks.stock_pages.flights import views

urlpatterns = [
    path("", views.plain_list, name="list"),
    path("<int:pk>/", views.plain_record, name="record"),
]
