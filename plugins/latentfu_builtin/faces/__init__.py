"""Faces in photographs: found by YuNet, cropped as in the FFHQ data set."""
