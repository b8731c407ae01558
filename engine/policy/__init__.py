"""Policy packs: dated, cited rule sets as data, and the closed language of their formulas."""
