"""URLs of the stock rival."""

from django.urls import path

from benchmarks.stock_pages.flights import views

urlpatterns = [
    path("", views.stock_list, name="list"),
    path("<int:pk>/", views.stock_record, name="record"),
]
