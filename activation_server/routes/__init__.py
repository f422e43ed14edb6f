"""Each route parses, makes one call of the session, and answers."""
