"""Benchmarks of Hysteron against the open solvers that its users run today.

Every answer, ours and theirs, is scored again from the original file by the readers in this package.
"""
