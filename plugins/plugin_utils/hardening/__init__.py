"""The capability ``hardening``: from what fails to a plan of operations, and what is held back with the reason."""
