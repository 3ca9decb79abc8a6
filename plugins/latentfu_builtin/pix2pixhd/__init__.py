"""pix2pixHD: networks that turn maps of labels into pictures (arXiv 1711.11585).

Written after the paper and the published parameter names; the layers can be looked into, bent
and deformed like those of any other generator.
"""
