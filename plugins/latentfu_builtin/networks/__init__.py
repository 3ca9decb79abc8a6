"""Networks without hooks, which the plug-ins beside this package import."""
