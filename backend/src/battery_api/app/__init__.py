"""Assembly of the gateway: routes, parts, jobs and what surrounds them."""
