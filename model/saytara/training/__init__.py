"""Training: run configs, examples, losses, the trainer, masked-LM adaptation.

Needs ``saytara[train]``; nothing that predicts imports it.
"""
