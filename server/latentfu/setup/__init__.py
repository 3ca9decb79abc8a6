"""The installation: GIMP 3 found, the plug-in placed in it, and what is wrong said in a sentence.

    gimp_places -> gimp_placement                 (latentfu gimp install, uninstall)
    gimp_places -> gimp_checks -> doctor          (latentfu gimp doctor)
    selfcheck, uninstall                          (run by install.py)

Standard library only, so that it answers at once and works before the networks are installed.
"""
