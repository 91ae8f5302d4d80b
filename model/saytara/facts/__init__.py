"""From linked events to records, clusters, contradictions and a ledger of who holds what.

Reads annotations only; knows no text processing and no model.
"""
