"""What a site undergoes and its batteries do not decide: weather, air conditioning, mains, chargers, load."""
