"""Changes of hosts, as the controller makes them: asked of the engine there, guarded, confirmed, undone, recorded.

What may be asked stands in ``module_utils/changes/spec.py``, what is answered in ``module_utils/changes/answer.py``.
"""
