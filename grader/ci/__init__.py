"""What runs an assignment elsewhere: on Gradescope, GitHub, GitLab and Classroom 50.

`packaging` writes what is put there, with this very grader in it; `python -m grader.ci` is what
those scripts call: it grades one submission and says so in the words of the system.
"""
