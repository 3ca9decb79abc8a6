"""Directions within a basis that a small network can tell apart by their pictures.

The optimization of "Navigating the GAN Parameter Space" (arXiv 2011.13786): pictures with and
without a deformation are shown to a predictor, which says which deformation it was and how
strong; deformations and predictor learn together, so that each deformation becomes one that is
easy to recognize.
"""
