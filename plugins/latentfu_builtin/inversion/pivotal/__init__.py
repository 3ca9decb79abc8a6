"""Pivotal tuning: the generator's weights bent a little, around one picture's code.

Roich et al. 2022 (arXiv 2106.05744). What is kept is the shift of each convolution, of low rank,
beside the code; the generator itself stays as it is.
"""
