"""What GIMP's Latent-Fu plug-in is made of: the standard library and gi only.

``arguments``, ``wire``, ``client``, ``finder``, ``jobs``, ``state`` and ``worker`` know nothing of
GIMP; ``pixels`` and ``layers`` speak libgimp; the ``*_dialog`` modules and ``preview`` speak Gtk.
"""
