pytest_plugins = ["battery_servicekit.testing.postgres", "battery_servicekit.testing.timescale"]
