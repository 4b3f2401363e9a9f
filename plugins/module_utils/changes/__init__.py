"""Changing a host: what may be asked (spec), carried out by the engine, journaled so that it can be undone."""
