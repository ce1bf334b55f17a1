"""The long work of imports."""

from django.urls import reverse

from jobs.models import Job
from jobs.registry import kind
from records.imports import checking, loading, proposing, starting, undoing


def result_url(job: Job) -> str:
    """Return the page of the import that a job works for."""
    return reverse("records:import", args=[job.payload["import"]])


kind(starting.READ, label="Read a file", result_url=result_url)(proposing.read_file)
kind(starting.CHECK, label="Check a file", result_url=result_url)(checking.check_file)
kind(starting.LOAD, label="Import", result_url=result_url)(loading.load_rows)
kind(starting.UNDO, label="Undo an import", result_url=result_url)(undoing.take_out)
