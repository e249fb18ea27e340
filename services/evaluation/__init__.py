"""The evaluation service owns judgement: who may rate, personal links, ratings, reopening."""
