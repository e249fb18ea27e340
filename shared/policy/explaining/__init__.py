"""Why a case was decided as it was, in words, and what would have to be otherwise."""
