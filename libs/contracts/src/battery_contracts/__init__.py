"""Wire models, ids, units and thin clients shared by every service."""
