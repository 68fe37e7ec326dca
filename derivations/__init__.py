"""The catalogue: one result a file, each naming its source and equation."""
