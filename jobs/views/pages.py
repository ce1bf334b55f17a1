"""The list of jobs, one job, and what may be done with it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from jobs import actions
from jobs.models import ENDED, Job, JobState, Lane
from jobs.views.policies import JOBS_CHANGE
from jobs.views.showing import shown
from permissions import perms
from permissions.access import opens, signed_in
from permissions.holder import holder_of
from permissions.policies import policy_for

PAGE = 50
MOST_UNDER_WAY = 50
IN_SIDEBAR = 3


@require_GET
@signed_in
def job_list(request: HttpRequest) -> HttpResponse:
    """Show what is under way and what has ended, newest first; a fragment of either for htmx."""
    visible = _visible(request)
    under_way = list(visible.unfinished().order_by("-state", "id")[:MOST_UNDER_WAY])
    if _wants(request, "under-way"):
        return _under_way(request, under_way)
    page, more_url = _ended_page(request, visible)
    context = {
        "under_way": _rows(request, under_way),
        "poll_url": _poll_url(request, under_way),
        "ended": _rows(request, page),
        "more_url": more_url,
        "tabs": _tabs(request),
    }
    name = "_job_rows" if _wants(request, "") else "job_list"
    response = render(request, f"jobs/{name}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@signed_in
def sidebar(request: HttpRequest) -> HttpResponse:
    """Show the person's own jobs under way, for the frame of every page."""
    own = Job.objects.unfinished().filter(created_by_id=request.user.pk).exclude(queue=Lane.MAIL)
    rows = _rows(request, list(own.order_by("id")[:IN_SIDEBAR]))
    return render(request, "components/jobs.html", {"jobs": rows, "jobs_url": reverse("jobs:sidebar")})


@require_GET
@opens(Job, to=perms.JOBS_VIEW)
def job_detail(request: HttpRequest, job: Job) -> HttpResponse:
    """Show one job: how far it is, how it ended, and what it said."""
    (row,) = _rows(request, [job])
    context = {
        "job": row,
        "facts": _facts(job, row),
        "poll_url": "" if job.has_ended else row["url"],
        "crumbs": [{"label": "Jobs", "url": reverse("jobs:list")}],
    }
    name = "_job_detail" if _wants(request, "") else "job_detail"
    response = render(request, f"jobs/{name}.html", context)
    if _wants(request, "") and job.has_ended:
        # The page's buttons are others now.
        response["HX-Refresh"] = "true"
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@opens(Job, to=JOBS_CHANGE)
def job_cancel(request: HttpRequest, job: Job) -> HttpResponse:
    """Cancel a job."""
    cancelled = actions.cancel(job=job, at=timezone.now())
    text = "Cancelled" if cancelled.has_ended else "It stops after the step under way"
    messages.success(request, text)
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


@require_POST
@opens(Job, to=JOBS_CHANGE)
def job_retry(request: HttpRequest, job: Job) -> HttpResponse:
    """Try a failed or cancelled job again."""
    actions.retry(job=job)
    messages.success(request, "It is waiting for its turn")
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


def _visible(request: HttpRequest) -> Any:
    """Return the jobs that the list is about: visible, and mails or the rest."""
    holder = holder_of(request)
    jobs = policy_for(Job).visible_to(holder, holder.at)
    if _shown_tab(request) == "mail":
        return jobs.filter(queue=Lane.MAIL)
    return jobs.exclude(queue=Lane.MAIL)


def _ended_page(request: HttpRequest, visible: QuerySet[Job]) -> tuple[list[Job], str]:
    """Return one page of jobs that have ended, and the address of the next. Keys are ordered by time."""
    ended = visible.filter(state__in=ENDED).order_by("-id")
    before = _uuid(request.GET.get("before", ""))
    if before is not None:
        ended = ended.filter(id__lt=before)
    page = list(ended[: PAGE + 1])
    if len(page) <= PAGE:
        return page, ""
    query = urlencode({"show": _shown_tab(request), "before": str(page[PAGE - 1].pk)})
    return page[:PAGE], f"{reverse('jobs:list')}?{query}"


def _under_way(request: HttpRequest, jobs: list[Job]) -> HttpResponse:
    """Answer the question how far things are; when one has ended or begun, the whole page is due."""
    context = {"under_way": _rows(request, jobs), "poll_url": _poll_url(request, jobs)}
    response = render(request, "jobs/_under_way.html", context)
    if request.GET.get("seen") != _seen(jobs):
        response["HX-Refresh"] = "true"
    return response


def _poll_url(request: HttpRequest, jobs: list[Job]) -> str:
    if not jobs:
        return ""
    query = urlencode({"part": "under-way", "show": _shown_tab(request), "seen": _seen(jobs)})
    return f"{reverse('jobs:list')}?{query}"


def _seen(jobs: list[Job]) -> str:
    """Return the end of each key: enough to notice that the set is another one."""
    return "-".join(job.pk.hex[-6:] for job in jobs)


def _rows(request: HttpRequest, jobs: list[Job]) -> list[dict[str, Any]]:
    holder, at = holder_of(request), timezone.now()
    may_change = holder.holds(JOBS_CHANGE)
    return [shown(job, at=at, may_change=may_change or job.created_by_id == request.user.pk) for job in jobs]


def _facts(job: Job, row: dict[str, Any]) -> list[dict[str, Any]]:
    result = [
        {"label": name.replace("_", " ").capitalize(), "kind": _kind(value), "value": value}
        for name, value in job.result.items()
        if isinstance(value, str | int | float)
    ]
    return [
        {"label": "State", "kind": "state", "value": row["state_label"], "tone": row["tone"]},
        {"label": "Kind", "kind": "text", "value": row["kind"]},
        {"label": "Asked for by", "kind": "text", "value": row["by"]},
        {"label": "Asked for", "kind": "datetime", "value": job.created_at},
        {"label": "Begun", "kind": "datetime", "value": job.begun_at},
        {"label": "Ended", "kind": "datetime", "value": job.ended_at},
        *([{"label": "Failures so far", "kind": "integer", "value": job.attempts}] if job.attempts else []),
        *(result if job.state == JobState.SUCCEEDED else []),
    ]


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes_no"
    return "text" if isinstance(value, str) else "number"


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    here = _shown_tab(request)
    url = reverse("jobs:list")
    return [
        {"label": "Work", "url": url, "current": here == "work"},
        {"label": "Mail", "url": f"{url}?show=mail", "current": here == "mail"},
    ]


def _shown_tab(request: HttpRequest) -> str:
    return "mail" if request.GET.get("show") == "mail" else "work"


def _wants(request: HttpRequest, part: str) -> bool:
    """Return whether htmx asks for this part of the page, rather than for the page."""
    htmx: Any = getattr(request, "htmx", None)
    is_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    return is_fragment and request.GET.get("part", "") == part


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
