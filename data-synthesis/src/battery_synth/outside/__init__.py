"""What acts on a location independently of its batteries: weather, air conditioning, mains, chargers, load."""
