"""Every `latentfu bench NAME` of the built-in plug-ins, beside its plain reference."""
