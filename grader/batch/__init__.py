"""Many submissions: found, graded by worker processes or a cluster, kept in a gradebook."""
