"""Linking records without a usable code: names taken apart, candidates by place, a learned rule, two thresholds."""
