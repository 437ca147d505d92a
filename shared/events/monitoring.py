"""What monitoring says. Nothing yet: surveys, complaints and evaluation come with their own events."""
