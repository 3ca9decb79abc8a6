"""One module for each format of another project; `formats.list_formats` finds them."""
