"""Names the mistake behind a wrong gradient or a wrong value, where the numbers prove it."""
