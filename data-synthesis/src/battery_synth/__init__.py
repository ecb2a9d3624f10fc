"""The synthetic world: sites, climate, grid, load, electrics, heat and ageing of the fleet."""
