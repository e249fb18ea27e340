"""The proof of the compose installation; needs Docker and Python, and nothing installed by pip."""
