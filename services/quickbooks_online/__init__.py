"""QuickBooks Online: what it answers, read into our words, and brought into the database through the recorder."""
