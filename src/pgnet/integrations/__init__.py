"""The tracker in the shape that other libraries expect, one file each; each needs its library only when it is used."""
