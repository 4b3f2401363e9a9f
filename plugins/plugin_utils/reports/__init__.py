"""Reports of a run: the report dict (``ringwall.report/1``) and what is written from it.

``build.build_report`` joins store queries into the dict; everything else is a pure function of that dict.
``formats.write_files`` writes the files that people asked for.
"""
