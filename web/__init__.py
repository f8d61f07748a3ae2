"""The server around the pages: what is checked at its start, and which requests it answers."""
