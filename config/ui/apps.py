from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "config.ui"
    label = "ui"
    verbose_name = "Look and components"
