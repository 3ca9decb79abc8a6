"""Parameter deformations: editing by bending one convolution of the network.

After "Navigating the GAN Parameter Space for Semantic Image Editing" (Cherepkov, Voynov,
Babenko 2021, arXiv 2011.13786).
"""
