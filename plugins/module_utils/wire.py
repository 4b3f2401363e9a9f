"""The collector's face to the controller: settings in, a snapshot in one frame out."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

from .collect import collect
from .frame import framed


def answer(settings):
    """Collect, and return what is written to standard output (bytes)."""
    return framed(collect(settings))
