"""What matches rows and keywords, fast and without error, and knows nothing of the policy file."""
