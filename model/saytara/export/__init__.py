"""Ways out: ONNX graphs, annotation tools' formats.

Trains nothing; formats of other projects are written by their own libraries where they exist.
"""
