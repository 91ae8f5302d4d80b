"""From mentions to names, entries and dates.

Knows documents and tables; no tensors, no network.
"""
