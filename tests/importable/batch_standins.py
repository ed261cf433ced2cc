"""Stand-ins for grading, in a module that worker processes can import by its name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from grader.batch import local
from grader.batch.jobs import Job, Outcome


def misbehave(job: Job) -> Outcome:
    """Does what the job's name says; stands in for the grading of one submission."""
    if job.id == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.id == "hangs":
        time.sleep(60)
    if job.id == "raises":
        raise ValueError("no good")
    if job.id == "grows":
        bytearray(local.WORKER_BYTES)
    return Outcome(job.id, f"graded by {os.getpid()}", "", 0.0)


def die_once(job: Job, bundle: bytes) -> Outcome:
    """Kills its worker the first time; stands in for a machine that is switched off."""
    marker = Path(job.assignment)
    if job.id == "fatal" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(job.id, "graded", "", 0.0)
