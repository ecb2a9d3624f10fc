"""The lives of jars: what they are born with, how wear shows, when people replace them."""
