"""From facts to ranks and grades: one pipeline of Narwhals expressions over lazy frames."""
