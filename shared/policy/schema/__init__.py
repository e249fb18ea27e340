"""The language of the policy file: its words, names and sections, as the models that read them."""
