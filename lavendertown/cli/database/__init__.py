"""Define the commands of `lavendertown db`."""
