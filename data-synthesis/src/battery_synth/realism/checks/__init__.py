"""Named checks of generated data against published ranges, each on the data themselves."""
