"""The screens of the console: one module per screen."""
