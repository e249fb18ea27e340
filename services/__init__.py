"""The services of Concentric, one package each, and the composition roots that run them."""
