"""Monitoring systems tell us of trouble: what they call is kept raw, read, held until it has lasted, and acted on."""
