"""The equivalent circuit of a battery model: its parameters, and what a data sheet says of them."""
