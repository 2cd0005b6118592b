"""One synthetic study: the facts behind it, its changes from night to night, and the modules that tell them."""
