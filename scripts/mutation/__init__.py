"""Small faults put into the code, to see whether the tests notice: what scripts/mutate is made of."""
