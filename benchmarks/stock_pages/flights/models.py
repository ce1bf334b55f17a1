"""The flights as a table of their own, as one would write it for one customer."""

from django.db import models


class Flight(models.Model):
    """One flight; columns as in the file."""

    year = models.IntegerField()
    month = models.IntegerField()
    day = models.IntegerField()
    dep_time = models.IntegerField(null=True)
    sched_dep_time = models.IntegerField(null=True)
    dep_delay = models.IntegerField(null=True)
    arr_time = models.IntegerField(null=True)
    sched_arr_time = models.IntegerField(null=True)
    arr_delay = models.IntegerField(null=True)
    carrier = models.CharField(max_length=4)
    flight = models.IntegerField()
    tailnum = models.CharField(max_length=10, blank=True)
    origin = models.CharField(max_length=4)
    dest = models.CharField(max_length=4)
    air_time = models.IntegerField(null=True)
    distance = models.IntegerField()
    hour = models.IntegerField()
    minute = models.IntegerField()
    time_hour = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.carrier} {self.flight}"
