"""Only the gallery: pages of the look are tried without organisations, servers or sign-in."""

from django.urls import include, path

urlpatterns = [path("gallery/", include("config.ui.urls"))]
