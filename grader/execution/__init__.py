"""Running a student's notebook, and asking its snapshots, without trusting either."""
