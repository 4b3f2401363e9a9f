"""What the process of a play does once, so that none of the workers it forks pays for it."""

from __future__ import annotations

import gc


def ready(*_imported):
    """Take all objects that exist now out of Python's cycle collection. Called when an action's module is loaded.

    Ansible loads it in the play's process, which then forks a worker a host: a collection in a worker would touch, and
    so copy, every page of the parent (25 to 50 ms of CPU a worker, measured with ansible-core 2.19). What is imported
    or loaded for the workers' sake alone is given as arguments, so that who reads it sees its reason.
    """
    gc.freeze()
