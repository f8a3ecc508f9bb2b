"""What trainstatus costs, measured beside the way of the tool that it replaces: `make bench`."""
