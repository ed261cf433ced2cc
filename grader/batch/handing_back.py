"""A batch's files as they are handed back, once people have scored."""

from __future__ import annotations

from grader.batch.publishing import Publisher
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.lms.scores import scores_csv
from grader.reports.files import write_whole_bytes


def write_reviewed(gradebook: Gradebook) -> int:
    """Writes the files of all submissions that people have scored, and scores.csv.

    Under pseudonyms where the batch has written them so. Returns how many
    submissions they were.

    Raises:
        UsageError: they cannot be written.
    """
    publisher = Publisher(gradebook, is_anonymous=_is_anonymous(gradebook))
    reviewed = gradebook.reviewed()
    try:
        for submission in reviewed:
            if (stored := gradebook.report(submission)) is not None:
                publisher.write(stored.report)
        write_whole_bytes(gradebook.folder / "scores.csv", scores_csv(publisher.rows()))
    except OSError as error:
        raise UsageError(f"{gradebook.folder}: its files cannot be written ({error})") from error
    return len(reviewed)


def _is_anonymous(gradebook: Gradebook) -> bool:
    """Whether the reports lie in folders by their pseudonyms, and in none by their ids."""
    folder = gradebook.folder
    if any((folder / identity / "report.json").is_file() for identity in gradebook.names()):
        return False
    pseudonyms = gradebook.known_pseudonyms().values()
    return any((folder / name / "report.json").is_file() for name in pseudonyms)
