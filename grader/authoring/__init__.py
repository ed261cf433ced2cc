"""New assignments: from a scaffold, or from the notebook of another grading system."""
