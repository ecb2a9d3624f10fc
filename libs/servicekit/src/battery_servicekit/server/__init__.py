"""The HTTP server below the app: bounds on what clients send, hold open or leave unread before they log in."""
