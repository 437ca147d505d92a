"""The catalogue of facts: what a criterion may ask, how it is asked, and how carefully the answer is kept."""
