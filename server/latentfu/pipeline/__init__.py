"""From a layer to an edited layer: crop, invert, apply controls, render, paste.

The :class:`~latentfu.pipeline.editor.Editor` goes the whole way.
"""
