"""One-shot commands: one module per noun."""
