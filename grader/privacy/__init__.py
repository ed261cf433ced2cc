"""Personal data in reports: secrets and addresses masked always, persons on request."""

from __future__ import annotations

from grader.privacy.masking import mask_code, mask_text
from grader.privacy.people import NOBODY, People
from grader.privacy.reports import anonymous, masked, without_numbers

__all__ = ["NOBODY", "People", "anonymous", "mask_code", "mask_text", "masked", "without_numbers"]
