"""`python -m grader`, for where the `grader` command is not on the path."""

from grader.cli import main

if __name__ == "__main__":
    main()
