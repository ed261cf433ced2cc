"""The tables of a gradebook, as each version of the schema added to them."""

from __future__ import annotations

# Each takes the schema one version further; PRAGMA user_version says how many have been applied.
MIGRATIONS = (
    """
    CREATE TABLE submission (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
        submitted TEXT NOT NULL, is_late INTEGER NOT NULL, attempt INTEGER NOT NULL,
        members TEXT NOT NULL, keys TEXT NOT NULL
    );
    CREATE TABLE run (
        id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT NOT NULL DEFAULT '',
        assignment TEXT NOT NULL, environment TEXT NOT NULL
    );
    CREATE TABLE report (
        id INTEGER PRIMARY KEY, submission TEXT NOT NULL REFERENCES submission,
        run INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, created TEXT NOT NULL,
        score REAL NOT NULL, max_score REAL NOT NULL, pending REAL NOT NULL,
        report TEXT NOT NULL
    );
    CREATE INDEX report_of_submission ON report (submission, id);
    CREATE TABLE question_score (
        report INTEGER NOT NULL REFERENCES report, question TEXT NOT NULL,
        points REAL NOT NULL, max_points REAL NOT NULL, status TEXT NOT NULL,
        PRIMARY KEY (report, question)
    );
    CREATE TABLE manual_score (
        id INTEGER PRIMARY KEY, submission TEXT NOT NULL REFERENCES submission,
        question TEXT NOT NULL, points REAL, comment TEXT NOT NULL,
        person TEXT NOT NULL, reason TEXT NOT NULL, created TEXT NOT NULL
    );
    CREATE INDEX manual_of_question ON manual_score (submission, question, id);
    CREATE VIEW current_report AS
        SELECT * FROM report WHERE id IN (SELECT max(id) FROM report GROUP BY submission);
    CREATE VIEW current_manual AS
        SELECT * FROM manual_score
        WHERE id IN (SELECT max(id) FROM manual_score GROUP BY submission, question);
    CREATE VIEW history AS
        SELECT r.submission, q.question, q.points, r.created, 'grader' AS person,
               'run ' || r.run AS reason
        FROM question_score q JOIN report r ON r.id = q.report
        UNION ALL
        SELECT submission, question, points, created, person, reason FROM manual_score;
    """,
    """
    CREATE TABLE pseudonym (
        submission TEXT PRIMARY KEY REFERENCES submission, pseudonym TEXT NOT NULL UNIQUE
    );
    """,
    """
    ALTER TABLE manual_score ADD COLUMN action TEXT NOT NULL DEFAULT '';
    ALTER TABLE manual_score ADD COLUMN undoes TEXT NOT NULL DEFAULT '';
    CREATE INDEX manual_by_question ON manual_score (question, submission, id);
    CREATE TABLE rubric_change (
        id INTEGER PRIMARY KEY, item INTEGER NOT NULL, question TEXT NOT NULL,
        text TEXT NOT NULL, points REAL NOT NULL, is_removed INTEGER NOT NULL,
        person TEXT NOT NULL, created TEXT NOT NULL
    );
    CREATE TABLE rubric_start (
        id INTEGER PRIMARY KEY, question TEXT NOT NULL, is_full INTEGER NOT NULL,
        person TEXT NOT NULL, created TEXT NOT NULL
    );
    CREATE TABLE manual_item (
        score INTEGER NOT NULL REFERENCES manual_score, item INTEGER NOT NULL,
        PRIMARY KEY (score, item)
    );
    CREATE TABLE separation (
        submission TEXT NOT NULL REFERENCES submission, question TEXT NOT NULL,
        person TEXT NOT NULL, created TEXT NOT NULL,
        PRIMARY KEY (submission, question)
    );
    CREATE VIEW current_rubric AS
        SELECT * FROM rubric_change
        WHERE id IN (SELECT max(id) FROM rubric_change GROUP BY item);
    """,
)
