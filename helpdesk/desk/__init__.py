"""What rooms use to have pages in the desk and areas in its settings; the desk itself (tickets) draws them."""
