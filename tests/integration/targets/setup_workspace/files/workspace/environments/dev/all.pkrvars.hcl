message = "from the overlay"
