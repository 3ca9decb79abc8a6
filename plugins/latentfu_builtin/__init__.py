"""The built-in plug-ins, in one package.

They may import each other in a declared order; a third party uses the public names of `latentfu`.
"""
