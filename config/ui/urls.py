from django.urls import path

from config.ui.views import brand, edit, gallery, jobs

app_name = "ui"
urlpatterns = [
    path("", gallery, name="gallery"),
    path("brand/<str:digits>.css", brand, name="brand"),
    path("jobs/", jobs, name="jobs"),
    path("edit/", edit, name="edit"),
    path("<str:page>/", gallery, name="gallery"),
]
