"""`%check`: the visible checks, within the notebook that one works in.

`magic` and `serving` run in the student's kernel and import little; `judging`
runs the checks, in a process of its own.
"""
