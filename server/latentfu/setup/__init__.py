"""GIMP's side of the installation: finding GIMP 3, placing the plug-in, saying what is wrong.

    places -> package -> placement -> program     (install)
    places -> checks                              (doctor)

Standard library only, so that it answers at once and works before the networks are installed.
"""
