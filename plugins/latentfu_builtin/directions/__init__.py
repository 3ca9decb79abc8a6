"""Making directions from scored samples. Importing this package is cheap."""
