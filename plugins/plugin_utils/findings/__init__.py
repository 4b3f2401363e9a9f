"""Findings, dispositions, score and alerts: plain JSON-able data and pure functions over it."""
