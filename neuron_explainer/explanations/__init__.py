"""What components do, in words: explained, simulated, scored, stored and searched."""
