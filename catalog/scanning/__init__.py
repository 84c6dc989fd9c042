"""The parts of a scan: listing, reading ahead, what is known, configs, the question, progress, totals."""
