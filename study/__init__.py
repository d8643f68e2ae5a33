"""The results page: what it is made from, its tables, and the claims that it judges."""
