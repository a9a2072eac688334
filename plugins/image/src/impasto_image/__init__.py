"""Image and mask nodes on Pillow and NumPy."""
