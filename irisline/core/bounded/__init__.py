"""What comes from elsewhere, had within limits: never waited for without end, never read without end."""
