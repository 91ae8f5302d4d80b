"""Arabic text: normalisation with a map of offsets, words and sentences.

Knows no tensors and no annotations; standard library only.
"""
