"""The web page: HTML rendered here, one style sheet and one small script beside it, nothing from elsewhere."""
