"""The composition root: settings, the application, the command line."""
