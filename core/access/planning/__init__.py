"""Plans: the ordered statements that turn one access model into another, each with what takes it back."""
