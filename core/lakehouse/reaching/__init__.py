"""Reaching the Lakehouse over HTTP, and opening what a profile lets Housekeys work on."""
