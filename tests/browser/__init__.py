"""The service's pages in a real browser: headless Chromium, where Debian's package is installed."""
