"""Models of remaining life: one class per kind, all with survival curves as their output."""
