"""The terminal console and the one-shot commands of Housekeys."""
