"""URLs of the room at an organisation's site."""

from django.urls import path

from permissions.views import groups, leaving, people, roles, sharing

app_name = "permissions"

urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/<uuid:pk>/", people.person, name="person"),
    path("people/<uuid:pk>/role/", people.change_role, name="person_role"),
    path("people/<uuid:pk>/deactivate/", people.shut_out, name="person_deactivate"),
    path("people/<uuid:pk>/reactivate/", people.let_in, name="person_reactivate"),
    path("people/<uuid:pk>/last-day/", people.end, name="person_end"),
    path("people/<uuid:pk>/groups/add/", groups.add_group, name="person_group"),
    path("groups/", groups.groups, name="groups"),
    path("groups/new/", groups.make, name="group_new"),
    path("groups/<uuid:pk>/", groups.group, name="group"),
    path("groups/<uuid:pk>/edit/", groups.edit, name="group_edit"),
    path("groups/<uuid:pk>/delete/", groups.delete, name="group_delete"),
    path("groups/<uuid:pk>/people/add/", groups.add_person, name="group_add"),
    path("groups/<uuid:pk>/people/<uuid:person>/last-day/", groups.end_person, name="group_end"),
    path("groups/<uuid:pk>/leave/", leaving.leave_a_group, name="group_leave"),
    path("account/leave/", leaving.leave, name="leave"),
    path("roles/", roles.roles, name="roles"),
    path("roles/new/", roles.make, name="role_new"),
    path("roles/guests/", roles.guests, name="guests"),
    path("roles/<uuid:pk>/edit/", roles.edit, name="role_edit"),
    path("roles/<uuid:pk>/delete/", roles.delete, name="role_delete"),
    path("sharing/", sharing.sharing, name="sharing"),
    path("sharing/mine/", sharing.shared_with_me, name="shared_with_me"),
    path("access/<int:kind>/<str:key>/", sharing.access, name="access"),
    path("access/<int:kind>/<str:key>/share/", sharing.share, name="share"),
    path("access/<int:kind>/<str:key>/stop/", sharing.unshare, name="unshare"),
]
