"""What would change if a rule were another, and how far ranks hang on the choice of weights and bases."""
