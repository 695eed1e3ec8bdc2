"""Plans of access entities as Changes, which can be run: masked, guarded, settled after a crash, and taken back."""
