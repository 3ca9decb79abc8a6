"""Feature-space detail: what no code can say, as a map added to one layer's features.

After feature-style encoders (Yao et al. 2022, arXiv 2202.02183) and HFGI (Wang et al. 2022,
arXiv 2109.06590). An edit of the code moves the features under it, and the detail goes with them
(``latentfu.pipeline.feature_warp``), so that a hat, an earring or a background survives.
"""
